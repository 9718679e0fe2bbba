//! From OpenMetrics to Prometheus' older text: there the whole name of a series stands in its
//! description, `_total` and `_info` included, and units and the end are not told.

/// Rewrites the descriptions.
pub(super) fn classic(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut help: Option<(&str, &str)> = None;
    for line in text.lines() {
        if let Some(words) = line.strip_prefix("# HELP ") {
            // Its name depends on the type, which comes next.
            help = words.split_once(' ');
            continue;
        }
        if line.starts_with("# UNIT ") || line == "# EOF" {
            continue;
        }
        match line
            .strip_prefix("# TYPE ")
            .and_then(|words| words.split_once(' '))
        {
            Some((name, kind)) => {
                let (suffix, kind) = match kind {
                    "counter" => ("_total", "counter"),
                    "info" => ("_info", "gauge"),
                    "unknown" => ("", "untyped"),
                    other => ("", other),
                };
                if let Some((_, words)) = help.take() {
                    out.push_str(&format!("# HELP {name}{suffix} {words}\n"));
                }
                out.push_str(&format!("# TYPE {name}{suffix} {kind}\n"));
            }
            None => {
                out.push_str(line);
                out.push('\n');
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::classic;

    #[test]
    fn descriptions_get_the_names_of_their_series() {
        let open = "\
# HELP a_seconds How long.
# TYPE a_seconds counter
# UNIT a_seconds seconds
a_seconds_total 1.5
# HELP b What it is.
# TYPE b info
b_info{version=\"1\"} 1
# HELP c Now.
# TYPE c gauge
c{d=\"# TYPE e counter\"} 2
# EOF
";
        let expected = "\
# HELP a_seconds_total How long.
# TYPE a_seconds_total counter
a_seconds_total 1.5
# HELP b_info What it is.
# TYPE b_info gauge
b_info{version=\"1\"} 1
# HELP c Now.
# TYPE c gauge
c{d=\"# TYPE e counter\"} 2
";
        assert_eq!(classic(open), expected);
    }
}
