//! What is asked for: method, path and query become a route, or a refusal in words.

use std::time::Duration;

use http::{Method, StatusCode};

use super::crash::Crash;
use super::query::Query;

/// Something to do, with its parameters checked.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Route {
    /// Say hello.
    Hello,
    /// So many burgers, each of which takes so long on the grill, all at the same time.
    Burgers { orders: u32, grill: Duration },
    /// So many burgers that each keep a cook busy.
    ParallelBurgers { orders: u32 },
    /// A Fibonacci number.
    Fibonacci { n: u32 },
    /// Wait on a thread beside the event loop.
    Offload { pause: Duration },
    /// Block the event loop.
    Blocking { pause: Duration },
    /// Keep the event loop busy, by turns with everybody else.
    Busy { period: Duration },
    /// Take so much memory and keep it.
    Grow { mib: u32 },
    /// Crash.
    Crash(Crash),
    /// Wait.
    Sleep { pause: Duration },
    /// Show the request's headers.
    Headers,
    /// Send the request's body back.
    Echo,
    /// Send so many chunks, with a pause before each.
    Stream { chunks: u32, pause: Duration },
    /// Send an event after each pause, until the worker is to leave.
    Events { pause: Duration },
    /// Show who asks.
    Peer,
}

/// Why not.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Refusal {
    pub(super) status: StatusCode,
    pub(super) words: String,
    /// What `allow` has to say, of a method that is not.
    pub(super) allow: Option<&'static str>,
}

/// Ten minutes, in milliseconds: the longest that anything here takes.
const LONGEST: u32 = 600_000;
const READS: &str = "GET, HEAD";
const WRITES: &str = "POST, PUT";

/// Every path: which methods it allows, how it is asked, what it does.
const ROUTES: [(&str, &str, &str, &str); 15] = [
    ("/", READS, "/", "says hello, and which worker does"),
    (
        "/burgers",
        READS,
        "/burgers?orders=2&ms=300",
        "waits for burgers, all at the same time",
    ),
    (
        "/burgers/parallel",
        READS,
        "/burgers/parallel?orders=4",
        "works for burgers, off the event loop",
    ),
    (
        "/fib",
        READS,
        "/fib?n=30",
        "calculates a Fibonacci number the slow way, off the event loop",
    ),
    (
        "/offload",
        READS,
        "/offload?ms=500",
        "waits on a thread, off the event loop",
    ),
    (
        "/blocking",
        READS,
        "/blocking?ms=500",
        "blocks the event loop, as no app should",
    ),
    (
        "/busy",
        READS,
        "/busy?ms=5000",
        "keeps the event loop busy, but lets everybody have a turn",
    ),
    (
        "/grow",
        READS,
        "/grow?mib=10",
        "takes memory and never gives it back",
    ),
    (
        "/crash",
        READS,
        "/crash?how=abort",
        "crashes: how=abort, segv, panic, or exit with code=0 to 255",
    ),
    ("/sleep", READS, "/sleep?ms=500", "answers later"),
    ("/headers", READS, "/headers", "shows the request's headers"),
    (
        "/echo",
        WRITES,
        "/echo",
        "sends the request's body back while it comes",
    ),
    (
        "/stream",
        READS,
        "/stream?chunks=5&ms=200",
        "answers in chunks, with a pause before each",
    ),
    (
        "/events",
        READS,
        "/events?ms=1000",
        "sends events until the worker leaves, and says so then",
    ),
    ("/peer", READS, "/peer", "shows who asks, and how"),
];

impl Route {
    /// Understands a request.
    pub(super) fn of(method: &Method, path: &str, query: Option<&str>) -> Result<Self, Refusal> {
        let Some((_, allowed, ..)) = ROUTES.iter().find(|(known, ..)| *known == path) else {
            return Err(Refusal::not_found(path));
        };
        if !allowed.split(", ").any(|one| one == method.as_str()) {
            return Err(Refusal::not_allowed(method, path, allowed));
        }
        Self::with(path, &Query::new(query)).map_err(|words| Refusal::bad(path, &words))
    }

    fn with(path: &str, query: &Query<'_>) -> Result<Self, String> {
        let milliseconds = |default| {
            let ms = query.number("ms", 0..=LONGEST, default)?;
            Ok::<_, String>(Duration::from_millis(ms.into()))
        };
        let (known, route): (&[&str], _) = match path {
            "/burgers" => {
                let orders = query.number("orders", 1..=1000, 2)?;
                let grill = milliseconds(300)?;
                (&["orders", "ms"], Self::Burgers { orders, grill })
            }
            "/burgers/parallel" => {
                let orders = query.number("orders", 1..=64, 4)?;
                (&["orders"], Self::ParallelBurgers { orders })
            }
            "/fib" => {
                let n = query.needed_number("n", 0..=45)?;
                (&["n"], Self::Fibonacci { n })
            }
            "/offload" => {
                let pause = milliseconds(500)?;
                (&["ms"], Self::Offload { pause })
            }
            "/blocking" => {
                let pause = milliseconds(500)?;
                (&["ms"], Self::Blocking { pause })
            }
            "/busy" => {
                let period = milliseconds(5000)?;
                (&["ms"], Self::Busy { period })
            }
            "/grow" => {
                let mib = query.number("mib", 1..=1024, 10)?;
                (&["mib"], Self::Grow { mib })
            }
            "/crash" => (&["how", "code"], Self::Crash(Crash::of(query)?)),
            "/sleep" => {
                let pause = milliseconds(500)?;
                (&["ms"], Self::Sleep { pause })
            }
            "/headers" => (&[], Self::Headers),
            "/echo" => (&[], Self::Echo),
            "/stream" => {
                let chunks = query.number("chunks", 0..=100_000, 5)?;
                let pause = milliseconds(200)?;
                (&["chunks", "ms"], Self::Stream { chunks, pause })
            }
            "/events" => {
                let pause = milliseconds(1000)?;
                (&["ms"], Self::Events { pause })
            }
            "/peer" => (&[], Self::Peer),
            // Health checks and cache busters put anything behind the front page's path.
            _ => return Ok(Self::Hello),
        };
        query.knows(known)?;
        Ok(route)
    }
}

impl Refusal {
    fn not_found(path: &str) -> Self {
        let mut words = format!("There is nothing at {path:?}. There is:\n\n");
        for (_, methods, example, what) in ROUTES {
            words.push_str(&format!("  {methods:<9}  {example:<26}  {what}\n"));
        }
        Self {
            status: StatusCode::NOT_FOUND,
            words,
            allow: None,
        }
    }

    fn not_allowed(method: &Method, path: &str, allowed: &'static str) -> Self {
        Self {
            status: StatusCode::METHOD_NOT_ALLOWED,
            words: format!("{path} can't be asked with {method}, only with {allowed}.\n"),
            allow: Some(allowed),
        }
    }

    fn bad(path: &str, words: &str) -> Self {
        Self {
            status: StatusCode::BAD_REQUEST,
            words: format!("{path}: {words}.\n"),
            allow: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{ROUTES, Refusal, Route};
    use http::{Method, StatusCode};
    use std::time::Duration;

    fn get(target: &str) -> Result<Route, Refusal> {
        let (path, query) = match target.split_once('?') {
            Some((path, query)) => (path, Some(query)),
            None => (target, None),
        };
        Route::of(&Method::GET, path, query)
    }

    #[test]
    fn every_example_of_the_list_is_understood() {
        for (path, methods, example, _) in ROUTES {
            let method = methods.split(", ").next().unwrap().parse().unwrap();
            let query = example.split_once('?').map(|(_, query)| query);
            let route = Route::of(&method, path, query);
            assert!(route.is_ok(), "{example}: {route:?}");
            assert_eq!(route == Ok(Route::Hello), path == "/", "{example}");
        }
    }

    #[test]
    fn parameters_have_defaults_and_limits() {
        let pause = Duration::from_millis(20);
        assert_eq!(get("/sleep?ms=20"), Ok(Route::Sleep { pause }));
        assert_eq!(get("/fib?n=45"), Ok(Route::Fibonacci { n: 45 }));
        assert_eq!(get("/?probe=1"), Ok(Route::Hello));
        let (orders, grill) = (2, Duration::from_millis(300));
        assert_eq!(get("/burgers"), Ok(Route::Burgers { orders, grill }));
        for bad in [
            "/fib",
            "/fib?n=46",
            "/fib?n=-1",
            "/sleep?ms=soon",
            "/sleep?ms=600001",
            "/sleep?s=1",
            "/burgers?orders=0",
            "/crash?how=gently",
            "/crash?how=exit&code=256",
            "/stream?chunks=x",
            "/headers?x=1",
        ] {
            let refusal = get(bad).unwrap_err();
            assert_eq!(refusal.status, StatusCode::BAD_REQUEST, "{bad}");
            assert!(refusal.words.ends_with(".\n"), "{bad}: {}", refusal.words);
        }
    }

    #[test]
    fn an_unknown_path_is_told_all_there_are() {
        let refusal = get("/nowhere").unwrap_err();
        assert_eq!(refusal.status, StatusCode::NOT_FOUND);
        for (_, _, example, _) in ROUTES {
            assert!(refusal.words.contains(example), "{example}");
        }
    }

    #[test]
    fn a_wrong_method_is_told_the_right_ones() {
        let refusal = Route::of(&Method::DELETE, "/", None).unwrap_err();
        assert_eq!(refusal.status, StatusCode::METHOD_NOT_ALLOWED);
        assert_eq!(refusal.allow, Some("GET, HEAD"));
        assert!(Route::of(&Method::GET, "/echo", None).is_err());
        assert_eq!(Route::of(&Method::POST, "/echo", None), Ok(Route::Echo));
        assert_eq!(Route::of(&Method::HEAD, "/", None), Ok(Route::Hello));
    }
}
