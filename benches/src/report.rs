//! What a section has to say, as Markdown.

use std::fmt;

/// What a section has to say.
pub(crate) struct Report {
    title: String,
    method: String,
    columns: Vec<&'static str>,
    rows: Vec<Vec<String>>,
    notes: Vec<String>,
    goals: Vec<Goal>,
}

struct Goal {
    words: String,
    measured: String,
    reached: bool,
}

impl Report {
    pub(crate) fn new(
        title: impl Into<String>,
        method: impl Into<String>,
        columns: &[&'static str],
    ) -> Self {
        Self {
            title: title.into(),
            method: method.into(),
            columns: columns.to_vec(),
            rows: Vec::new(),
            notes: Vec::new(),
            goals: Vec::new(),
        }
    }

    /// A row with as many cells as there are columns.
    pub(crate) fn row(&mut self, cells: impl IntoIterator<Item = String>) {
        let cells: Vec<String> = cells.into_iter().collect();
        assert_eq!(
            cells.len(),
            self.columns.len(),
            "a row of {:?}",
            self.columns
        );
        self.rows.push(cells);
    }

    pub(crate) fn note(&mut self, words: impl Into<String>) {
        self.notes.push(words.into());
    }

    /// A goal and what came of it; missing one is told, never an error.
    pub(crate) fn goal(&mut self, words: &str, measured: impl Into<String>, reached: bool) {
        self.goals.push(Goal {
            words: words.to_owned(),
            measured: measured.into(),
            reached,
        });
    }

    /// How wide each column must be.
    fn widths(&self) -> Vec<usize> {
        let width = |column: usize| {
            let cells = self.rows.iter().map(|row| row[column].chars().count());
            cells
                .chain([self.columns[column].chars().count(), 3])
                .max()
                .unwrap_or(0)
        };
        (0..self.columns.len()).map(width).collect()
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "## {}\n\n{}\n", self.title, self.method)?;
        let widths = self.widths();
        for (column, width) in self.columns.iter().zip(&widths) {
            write!(f, "| {column:<width$} ")?;
        }
        writeln!(f, "|")?;
        for (column, width) in widths.iter().enumerate() {
            let right = if column == 0 { "-" } else { ":" };
            write!(f, "| {}{right} ", "-".repeat(width - 1))?;
        }
        writeln!(f, "|")?;
        for row in &self.rows {
            for (column, (cell, width)) in row.iter().zip(&widths).enumerate() {
                if column == 0 {
                    write!(f, "| {cell:<width$} ")?;
                } else {
                    write!(f, "| {cell:>width$} ")?;
                }
            }
            writeln!(f, "|")?;
        }
        for note in &self.notes {
            write!(f, "\n{note}\n")?;
        }
        if !self.goals.is_empty() {
            writeln!(f)?;
        }
        for Goal {
            words,
            measured,
            reached,
        } in &self.goals
        {
            let verdict = if *reached { "reached" } else { "**missed**" };
            writeln!(f, "- {words}: {measured}, {verdict}.")?;
        }
        Ok(())
    }
}

/// With three significant digits, and none behind the point from 100 on.
pub(crate) fn figure(value: f64) -> String {
    let size = value.abs();
    if size >= 99.95 {
        format!("{value:.0}")
    } else if size >= 9.995 {
        format!("{value:.1}")
    } else {
        format!("{value:.2}")
    }
}

/// Bytes as mebibytes.
pub(crate) fn mebibytes(bytes: f64) -> String {
    figure(bytes / f64::from(1 << 20))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_is_an_aligned_table_with_its_goals_below() {
        let mut report = Report::new("Sums", "By hand.", &["sum", "result"]);
        report.row(["1 + 1".to_owned(), figure(2.0)]);
        report.goal("at least 1", "2", true);
        report.goal("at least 3", "2", false);
        let expected = "## Sums\n\nBy hand.\n\n\
            | sum   | result |\n\
            | ----- | -----: |\n\
            | 1 + 1 |   2.00 |\n\n\
            - at least 1: 2, reached.\n\
            - at least 3: 2, **missed**.\n";
        assert_eq!(report.to_string(), expected);
    }

    #[test]
    fn figures_have_three_digits() {
        let figures = [0.123, 1.0, 9.996, 12.34, 99.96, 123_456.7].map(figure);
        assert_eq!(figures, ["0.12", "1.00", "10.0", "12.3", "100", "123457"]);
    }
}
