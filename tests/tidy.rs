//! The house rules as a test: what no compiler and no lint knows, and every reader relies on.
//! Each rule tells all its breaches at once.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// The longest file that still fits a head.
const LONGEST_FILE: usize = 500;

/// A source file of the house.
struct Source {
    /// Its path from the root, with slashes.
    path: String,
    text: String,
    /// The text without comments, and with the inside of string literals blanked.
    code: String,
    /// The string literals.
    literals: Vec<String>,
}

impl Source {
    fn lies_in(&self, folder: &str) -> bool {
        self.path.starts_with(folder)
    }

    fn is_named(&self, names: &[&str]) -> bool {
        self.path
            .rsplit('/')
            .next()
            .is_some_and(|name| names.contains(&name))
    }
}

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn walk(folder: &Path, ending: &str, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if name.starts_with('.') || ["target", "node_modules", "venv"].contains(&&*name) {
            continue;
        }
        if path.is_dir() {
            walk(&path, ending, found);
        } else if name.ends_with(ending) {
            found.push(path);
        }
    }
}

fn files(ending: &str) -> Vec<(String, String)> {
    let mut paths = Vec::new();
    walk(&root(), ending, &mut paths);
    paths.sort();
    let relative = |path: PathBuf| {
        let text = String::from_utf8_lossy(&fs::read(&path).unwrap()).into_owned();
        (
            path.strip_prefix(root())
                .unwrap()
                .to_string_lossy()
                .into_owned(),
            text,
        )
    };
    paths.into_iter().map(relative).collect()
}

fn sources() -> Vec<Source> {
    let sources: Vec<_> = files(".rs")
        .into_iter()
        .map(|(path, text)| {
            let (code, literals) = lex(&text);
            Source {
                path,
                text,
                code,
                literals,
            }
        })
        .collect();
    assert!(
        sources.len() > 20,
        "the house has more files than {}",
        sources.len()
    );
    sources
}

/// Parts comments and string literals from the code. Knows as much Rust as the house uses.
fn lex(text: &str) -> (String, Vec<String>) {
    let (mut code, mut literals) = (String::new(), Vec::new());
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let (kind, length) = token(
            rest,
            code.ends_with(|c: char| c.is_alphanumeric() || c == '_'),
        );
        match kind {
            Kind::Code => code.push(first),
            Kind::Comment => {}
            Kind::Literal => {
                let inside = rest[..length].trim_start_matches(['r', 'b', 'c', '#']);
                literals.push(inside.trim_end_matches('#').trim_matches('"').to_owned());
                code.push_str("\"\"");
            }
        }
        rest = &rest[length..];
    }
    (code, literals)
}

enum Kind {
    Code,
    Comment,
    Literal,
}

/// What stands at the beginning of `rest`, and how long it is.
fn token(rest: &str, within_word: bool) -> (Kind, usize) {
    if rest.starts_with("//") {
        return (Kind::Comment, rest.find('\n').unwrap_or(rest.len()));
    }
    if rest.starts_with("/*") {
        return (
            Kind::Comment,
            rest.find("*/").map_or(rest.len(), |end| end + 2),
        );
    }
    let prefix = rest.len() - rest.trim_start_matches(['b', 'c', 'r']).len();
    let raw = !within_word && prefix <= 2 && rest[..prefix].ends_with('r');
    let body = &rest[if within_word { 0 } else { prefix }..];
    let skipped = rest.len() - body.len();
    let hashes = body.len() - body.trim_start_matches('#').len();
    if raw && body[hashes..].starts_with('"') {
        let end = format!("\"{}", "#".repeat(hashes));
        let inside = &body[hashes + 1..];
        let length = inside.find(&end).map_or(inside.len(), |at| at + end.len());
        return (Kind::Literal, skipped + hashes + 1 + length);
    }
    if skipped <= 1 && body.starts_with('"') {
        let mut escaped = false;
        let closing = body.char_indices().skip(1).find(|(_, c)| {
            let closes = *c == '"' && !escaped;
            escaped = *c == '\\' && !escaped;
            closes
        });
        return (
            Kind::Literal,
            skipped + closing.map_or(body.len(), |(at, _)| at + 1),
        );
    }
    // The characters '"' and '\'' would otherwise open a literal; lifetimes stay code.
    for character in ["'\"'", "'\\\"'", "'\\''"] {
        if rest.starts_with(character) {
            return (Kind::Comment, character.len());
        }
    }
    (Kind::Code, rest.chars().next().map_or(1, char::len_utf8))
}

/// Whether `word` stands in the code by itself, not as a part of a longer one.
fn names(code: &str, word: &str) -> bool {
    let is_part = |c: char| c.is_alphanumeric() || c == '_';
    code.match_indices(word).any(|(at, _)| {
        let (before, after) = (&code[..at], &code[at + word.len()..]);
        !before.ends_with(is_part) && !after.starts_with(is_part)
    })
}

fn no_breach(rule: &str, breaches: impl IntoIterator<Item = String>) {
    let breaches: Vec<String> = breaches.into_iter().collect();
    assert!(breaches.is_empty(), "{rule}:\n  {}", breaches.join("\n  "));
}

/// Every (file, word) with a word of the list in the code of a file that `within` selects.
fn uses(words: &[&str], within: impl Fn(&Source) -> bool) -> Vec<String> {
    let mut found = Vec::new();
    for source in sources().iter().filter(|source| within(source)) {
        let used = words.iter().filter(|word| names(&source.code, word));
        found.extend(used.map(|word| format!("{} uses {word}", source.path)));
    }
    found
}

#[test]
fn the_plan_knows_no_operating_system() {
    let words = [
        "std::fs",
        "std::process",
        "std::net",
        "std::os",
        "std::io",
        "nix",
        "libc",
        "rustix",
        "Instant",
        "SystemTime",
        "tracing",
        "tokio",
    ];
    no_breach(
        "supervisor/src/plan/ is pure",
        uses(&words, |s| s.lies_in("supervisor/src/plan/")),
    );
}

#[test]
fn supervisor_worker_admin_and_files_do_not_know_each_other() {
    let rooms = ["supervisor", "worker", "admin", "files"];
    let mut breaches = Vec::new();
    for room in rooms {
        let others = rooms.iter().filter(|other| **other != room);
        let others: Vec<String> = others.map(|other| format!("brigade_{other}")).collect();
        let others: Vec<&str> = others.iter().map(String::as_str).collect();
        breaches.extend(uses(&others, |s| s.lies_in(&format!("{room}/"))));
    }
    let ground = |s: &Source| s.lies_in("shared/") || s.lies_in("config/");
    let all = [
        "brigade_supervisor",
        "brigade_worker",
        "brigade_admin",
        "brigade_files",
    ];
    breaches.extend(uses(&all, ground));
    breaches.extend(uses(&["brigade_config"], |s| s.lies_in("shared/")));
    no_breach(
        "only src/ names supervisor, worker, admin and files; the ground names none of them",
        breaches,
    );
}

#[test]
fn the_supervisor_has_no_async_runtime_and_no_thread() {
    let words = ["tokio", "hyper", "std::thread", "async fn"];
    let mut breaches = Vec::new();
    for source in sources()
        .iter()
        .filter(|source| source.lies_in("supervisor/src/"))
    {
        // Its unit tests may have threads: they play the client.
        let code = source.code.split("#[cfg(test)]").next().unwrap_or_default();
        let used = words.iter().filter(|word| names(code, word));
        breaches.extend(used.map(|word| format!("{} uses {word}", source.path)));
    }
    no_breach("the supervisor is one thread", breaches);
}

#[test]
fn unsafe_code_has_one_home() {
    no_breach(
        "unsafe lives in shared/src/sys/",
        uses(&["unsafe"], |s| !s.lies_in("shared/src/sys/")),
    );
}

#[test]
fn entrance_files_hold_no_furniture() {
    let items = [
        "fn",
        "struct",
        "enum",
        "trait",
        "impl",
        "const",
        "static",
        "type",
        "macro_rules",
    ];
    let entrance = |s: &Source| s.is_named(&["mod.rs", "lib.rs"]);
    let rule = "mod.rs and lib.rs hold docs, `mod` lines and re-exports";
    no_breach(rule, uses(&items, entrance));
}

#[test]
fn files_fit_a_head() {
    let long = sources().into_iter().filter_map(|source| {
        let lines = source.text.lines().count();
        (lines > LONGEST_FILE).then(|| format!("{} has {lines} lines", source.path))
    });
    no_breach("no file is longer than 500 lines", long);
}

#[test]
fn every_file_says_what_it_is_for() {
    let mute = sources()
        .into_iter()
        .filter(|source| !source.text.starts_with("//!"));
    no_breach(
        "every .rs file opens with a //! doc",
        mute.map(|source| source.path),
    );
}

#[test]
fn tests_wait_for_states_and_never_sleep() {
    let tests = |s: &Source| s.path.split('/').any(|folder| folder == "tests");
    no_breach("no sleep in tests", uses(&["sleep"], tests));
}

#[test]
fn no_test_is_put_aside() {
    let aside = sources()
        .into_iter()
        .filter(|s| s.code.contains("#[ignore"));
    no_breach("no #[ignore]", aside.map(|source| source.path));
}

#[test]
fn docs_cite_names_and_never_line_numbers() {
    let mut breaches = Vec::new();
    let prose = files(".md")
        .into_iter()
        .chain(files(".rs").into_iter().map(|(path, text)| {
            let comments = text
                .lines()
                .filter(|line| line.trim_start().starts_with("//"));
            (path, comments.collect::<Vec<_>>().join("\n"))
        }));
    for (path, text) in prose {
        for (at, mark) in text.match_indices(".rs:") {
            if text[at + mark.len()..].starts_with(|c: char| c.is_ascii_digit()) {
                let line = text[..at].lines().count();
                breaches.push(format!("{path}, about line {line}"));
            }
        }
    }
    no_breach("no `file.rs:123` in prose: lines move", breaches);
}

/// The names in the table of docs/events.md.
fn documented_events() -> BTreeSet<String> {
    let text = fs::read_to_string(root().join("docs/events.md")).unwrap();
    let rows = text
        .lines()
        .filter_map(|line| line.strip_prefix("| `")?.split('|').next());
    let names = rows
        .flat_map(|cell| cell.split(','))
        .map(|name| name.trim().trim_matches('`'));
    names
        .filter(|name| name.contains('.'))
        .map(str::to_owned)
        .collect()
}

#[test]
fn the_log_says_what_its_documentation_says() {
    let documented = documented_events();
    let families: BTreeSet<&str> = documented
        .iter()
        .filter_map(|name| name.split('.').next())
        .collect();
    let speaks = |s: &Source| {
        [
            "shared/src/",
            "supervisor/src/",
            "worker/src/",
            "admin/src/",
            "files/src/",
            "src/",
        ]
        .iter()
        .any(|f| s.lies_in(f))
    };
    let is_event = |literal: &&String| {
        let parts = literal.split_once('.');
        let word = |c: char| c.is_ascii_lowercase() || c == '_';
        parts.is_some_and(|(family, rest)| {
            families.contains(family) && !rest.is_empty() && rest.chars().all(word)
        })
    };
    let mut spoken = BTreeSet::new();
    for source in sources().iter().filter(|source| speaks(source)) {
        spoken.extend(source.literals.iter().filter(is_event).cloned());
    }
    let undocumented = spoken.difference(&documented);
    let unspoken = documented.difference(&spoken);
    let breaches = undocumented
        .map(|name| format!("`{name}` is logged and does not stand in docs/events.md"))
        .chain(
            unspoken.map(|name| format!("`{name}` stands in docs/events.md and is never logged")),
        );
    no_breach("docs/events.md is the list of events", breaches);
}

#[test]
fn the_lexer_tells_code_from_words() {
    let text = r##"let a = "unsafe // \" x"; // unsafe
        let b = r#"unsafe "quoted""#; /* unsafe */ let c = '"'; let d = b"raw"; for_each("e.f")"##;
    let (code, literals) = lex(text);
    assert!(!names(&code, "unsafe"), "{code}");
    assert_eq!(
        literals,
        [r#"unsafe // \" x"#, r#"unsafe "quoted"#, "raw", "e.f"]
    );
}
