//! Text as systemd reads it (systemd.syntax(7), systemd.service(5)).

/// A word: quoted if it must be, with nothing in it that systemd would replace. In command lines
/// that is more than elsewhere.
pub(super) fn word(text: &str, is_command: bool) -> String {
    let mut inside = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '%' => inside.push_str("%%"),
            '$' if is_command => inside.push_str("$$"),
            '\\' => inside.push_str("\\\\"),
            '"' => inside.push_str("\\\""),
            '\n' => inside.push_str("\\n"),
            '\t' => inside.push_str("\\t"),
            _ => inside.push(character),
        }
    }
    let is_plain = |c: char| !c.is_whitespace() && !['"', '\'', '\\', ';'].contains(&c);
    if !text.is_empty() && text.chars().all(is_plain) {
        inside
    } else {
        format!("\"{inside}\"")
    }
}

#[cfg(test)]
mod tests {
    use super::word;

    #[test]
    fn what_systemd_would_replace_is_protected() {
        for (text, written) in [
            ("--port", "--port"),
            ("", "\"\""),
            ("100%", "100%%"),
            ("a b", "\"a b\""),
            ("say \"$HOME\"", "\"say \\\"$$HOME\\\"\""),
            ("it's", "\"it's\""),
            ("a\\b\n", "\"a\\\\b\\n\""),
        ] {
            assert_eq!(word(text, true), written);
        }
        assert_eq!(word("A=$1", false), "A=$1");
    }
}
