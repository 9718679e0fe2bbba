//! A unit of `config/systemd` as lines in which settings are changed.

/// The lines of a unit.
#[derive(Debug)]
pub(super) struct Template {
    lines: Vec<String>,
}

impl Template {
    /// Without the comment at its head, which is about the file itself.
    pub(super) fn new(text: &str, head: &str) -> Self {
        let body = text.lines().skip_while(|line| !line.starts_with('['));
        let mut lines: Vec<String> = head.lines().map(|line| format!("# {line}")).collect();
        lines
            .iter_mut()
            .for_each(|line| line.truncate(line.trim_end().len()));
        lines.push(String::new());
        lines.extend(body.map(str::to_owned));
        Self { lines }
    }

    /// Gives a setting another value. What the template does not have is added nowhere: the tests
    /// of this module know of every setting that is asked for.
    pub(super) fn set(&mut self, key: &str, value: impl std::fmt::Display) {
        if let Some(at) = self.find(key) {
            self.lines[at] = format!("{key}={value}");
        }
    }

    /// Replaces the comment above a setting.
    pub(super) fn comment(&mut self, key: &str, words: &[&str]) {
        let Some(mut at) = self.find(key) else { return };
        while at > 0 && self.lines[at - 1].starts_with('#') {
            at -= 1;
            self.lines.remove(at);
        }
        let comment = words.iter().map(|line| format!("# {line}"));
        self.lines.splice(at..at, comment);
    }

    /// Puts lines in front of a setting and its comment.
    pub(super) fn insert(&mut self, key: &str, lines: &[String]) {
        let Some(mut at) = self.find(key) else { return };
        while at > 0 && self.lines[at - 1].starts_with('#') {
            at -= 1;
        }
        self.lines.splice(at..at, lines.iter().cloned());
    }

    fn find(&self, key: &str) -> Option<usize> {
        self.lines.iter().position(|line| {
            let rest = line.strip_prefix(key);
            rest.is_some_and(|rest| rest.starts_with('='))
        })
    }

    /// The whole text.
    pub(super) fn text(&self) -> String {
        self.lines.join("\n") + "\n"
    }
}

#[cfg(test)]
mod tests {
    use super::Template;

    const TEXT: &str = "# About it.\n\n[Service]\n# Why.\nA=1\n# Why\n# not.\nB=2\n";

    #[test]
    fn settings_change_and_the_rest_stays() {
        let mut unit = Template::new(TEXT, "New.\n\nWords.");
        unit.set("A", 3);
        unit.set("AB", 3);
        unit.comment("B", &["Because."]);
        unit.insert("B", &["C=4".to_owned()]);
        let expected = "# New.\n#\n# Words.\n\n[Service]\n# Why.\nA=3\nC=4\n# Because.\nB=2\n";
        assert_eq!(unit.text(), expected);
    }

    #[test]
    fn the_shipped_unit_has_what_is_filled_in() {
        let mut unit = Template::new(brigade_config::SERVICE_UNIT, "");
        for key in super::super::service::FILLED_IN {
            assert!(unit.find(key).is_some(), "{key}");
            unit.set(key, "x");
        }
    }
}
