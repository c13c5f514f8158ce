//! Tokens where anybody may read them.

/// Characters that are shown of a token.
const SHOWN: usize = 4;

/// The end of a token, enough to tell cards apart and too little to copy one. Of a short token nothing is shown.
#[must_use]
pub fn mask(token: &str) -> String {
    let length = token.chars().count();
    let shown: String =
        if length > 2 * SHOWN - 1 { token.chars().skip(length - SHOWN).collect() } else { String::new() };
    format!("…{shown}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_end_of_a_token_is_shown() {
        assert_eq!(mask("04A1B2C3"), "…B2C3");
        assert_eq!(mask("ÄÖÜ-äöüß"), "…äöüß");
        assert_eq!(mask("1234567"), "…");
        assert_eq!(mask(""), "…");
    }
}
