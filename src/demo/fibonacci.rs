//! Work for the processor.

/// The `n`th Fibonacci number, by the definition: it takes as many steps as the number is big.
pub(super) fn fibonacci(n: u32) -> u64 {
    match n {
        0 | 1 => n.into(),
        _ => fibonacci(n - 1) + fibonacci(n - 2),
    }
}

#[cfg(test)]
mod tests {
    use super::fibonacci;

    #[test]
    fn each_number_is_the_sum_of_the_two_before() {
        let first: Vec<u64> = (0..10).map(fibonacci).collect();
        assert_eq!(first, [0, 1, 1, 2, 3, 5, 8, 13, 21, 34]);
        assert_eq!(fibonacci(20), 6765);
    }
}
