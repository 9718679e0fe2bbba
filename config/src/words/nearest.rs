//! The valid word that somebody may have meant.

/// The candidate nearest to `word`, if it is close: at most a third of its letters differ, and one is
/// the same.
/// Case and `_` for `-` count as nothing.
pub(crate) fn nearest<'a>(
    word: &str,
    candidates: impl IntoIterator<Item = &'a str>,
) -> Option<&'a str> {
    let plain = |text: &str| text.to_lowercase().replace('_', "-");
    let allowed = |candidate: &str| candidate.len().div_ceil(3);
    candidates
        .into_iter()
        .filter(|candidate| word.len().abs_diff(candidate.len()) <= allowed(candidate))
        .map(|candidate| {
            (
                strsim::osa_distance(&plain(word), &plain(candidate)),
                candidate,
            )
        })
        .filter(|(distance, candidate)| {
            *distance <= allowed(candidate) && *distance < candidate.len()
        })
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

#[cfg(test)]
mod tests {
    use super::nearest;

    const NAMES: [&str; 4] = ["workers", "timeout-kill", "timeout-start", "uds"];

    #[test]
    fn a_slip_of_the_finger_is_understood() {
        assert_eq!(nearest("workerz", NAMES), Some("workers"));
        assert_eq!(nearest("wrokers", NAMES), Some("workers"));
        assert_eq!(nearest("Timeout_Start", NAMES), Some("timeout-start"));
    }

    #[test]
    fn what_is_far_is_not_guessed_at() {
        assert_eq!(nearest("threads", NAMES), None);
        assert_eq!(nearest("", NAMES), None);
        assert_eq!(nearest("3", ["1", "2"]), None);
        assert_eq!(nearest(&"w".repeat(1 << 20), NAMES), None);
    }
}
