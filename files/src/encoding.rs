//! Which precompressed variant a client takes (RFC 9110, section 12.5.3).

use http::header::{ACCEPT_ENCODING, HeaderMap, HeaderValue};

/// How a variant beside a file is compressed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Encoding {
    Brotli,
    Zstd,
    Gzip,
}

/// The smallest first, which is usually brotli's.
const ALL: [Encoding; 3] = [Encoding::Brotli, Encoding::Zstd, Encoding::Gzip];

/// A weight in thousandths.
type Weight = u16;

impl Encoding {
    /// What the variant's name adds to the file's.
    pub(crate) fn suffix(self) -> &'static [u8] {
        match self {
            Self::Brotli => b".br",
            Self::Zstd => b".zst",
            Self::Gzip => b".gz",
        }
    }

    /// Its name in a header.
    pub(crate) fn name(self) -> HeaderValue {
        HeaderValue::from_static(match self {
            Self::Brotli => "br",
            Self::Zstd => "zstd",
            Self::Gzip => "gzip",
        })
    }

    fn place(name: &str) -> Option<usize> {
        let is = |other: &str| name.eq_ignore_ascii_case(other);
        match () {
            () if is("br") => Some(0),
            () if is("zstd") => Some(1),
            () if is("gzip") || is("x-gzip") => Some(2),
            () => None,
        }
    }
}

/// The encodings to look for, the best first. One that the client likes less than the file as it
/// is (`identity`) is not among them.
pub(crate) fn accepted(headers: &HeaderMap) -> impl Iterator<Item = Encoding> + use<> {
    let mut weights: [Option<Weight>; 3] = [None; 3];
    let (mut identity, mut others) = (None, None);
    let lines = headers.get_all(ACCEPT_ENCODING).iter();
    for item in lines
        .filter_map(|line| line.to_str().ok())
        .flat_map(|line| line.split(','))
    {
        let mut parts = item.split(';');
        let name = parts.next().unwrap_or_default().trim();
        let weight = weight(parts.next());
        if let Some(place) = Encoding::place(name) {
            weights[place] = Some(weight);
        } else if name == "*" {
            others = Some(weight);
        } else if name.eq_ignore_ascii_case("identity") {
            identity = Some(weight);
        }
    }
    let least = identity.unwrap_or(0).max(1);
    let mut best: [(Weight, Encoding); 3] =
        std::array::from_fn(|place| (weights[place].or(others).unwrap_or(0), ALL[place]));
    // Stable: of equal weights the smaller variant stays first.
    best.sort_by_key(|(weight, _)| std::cmp::Reverse(*weight));
    best.into_iter()
        .filter(move |(weight, _)| *weight >= least)
        .map(|(_, encoding)| encoding)
}

/// `q=0.5` as 500. What is malformed is not wanted.
fn weight(parameter: Option<&str>) -> Weight {
    let Some(parameter) = parameter else {
        return 1000;
    };
    let value = parameter
        .split_once('=')
        .filter(|(name, _)| name.trim().eq_ignore_ascii_case("q"));
    let Some((_, value)) = value else {
        return 0;
    };
    let (whole, fraction) = value.trim().split_once('.').unwrap_or((value.trim(), ""));
    let is_fraction = fraction.len() <= 3 && fraction.bytes().all(|byte| byte.is_ascii_digit());
    match whole {
        "1" if fraction.bytes().all(|byte| byte == b'0') => 1000,
        "0" if is_fraction => format!("{fraction:0<3}").parse().unwrap_or(0),
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::Encoding::{self, Brotli, Gzip, Zstd};
    use http::header::{ACCEPT_ENCODING, HeaderMap, HeaderValue};

    fn accepted(header: &'static str) -> Vec<Encoding> {
        let mut headers = HeaderMap::new();
        headers.insert(ACCEPT_ENCODING, HeaderValue::from_static(header));
        super::accepted(&headers).collect()
    }

    #[test]
    fn the_weights_decide_and_then_the_size() {
        assert_eq!(super::accepted(&HeaderMap::new()).count(), 0);
        assert_eq!(accepted("gzip, deflate, br, zstd"), [Brotli, Zstd, Gzip]);
        assert_eq!(accepted("gzip;q=1.0, br;q=0.5"), [Gzip, Brotli]);
        assert_eq!(accepted("GZIP ; Q=0.001"), [Gzip]);
        assert_eq!(accepted("x-gzip"), [Gzip]);
        assert_eq!(accepted("*"), [Brotli, Zstd, Gzip]);
        assert_eq!(accepted("*;q=0.5, gzip, br;q=0"), [Gzip, Zstd]);
    }

    #[test]
    fn what_is_not_wanted_is_not_looked_for() {
        for header in [
            "",
            "identity",
            "br;q=0",
            "gzip;q=0.000",
            "gzip;q=2",
            "gzip;q=0.1234",
            "gzip;level=9",
            "gzip;q=-1",
            "deflate",
            "*;q=0",
            "gzip;q=0.5, identity",
            "brotli",
        ] {
            assert_eq!(accepted(header), [], "{header}");
        }
        assert_eq!(accepted("identity;q=0.5, gzip;q=0.5"), [Gzip]);
    }
}
