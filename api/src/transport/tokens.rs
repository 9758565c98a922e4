//! Counts the tokens of a document without parsing it, so that a parser never sees a huge one.

/// The number of lexical tokens (GraphQL specification, 2.1.6), counted up to `max` + 1.
///
/// One pass over the bytes, no allocation. Broken input is counted as it looks; the parser names the error.
pub(crate) fn count(source: &str, max: usize) -> usize {
    let bytes = source.as_bytes();
    let (mut at, mut tokens) = (0, 0);
    while at < bytes.len() && tokens <= max {
        let start = at;
        at = match bytes[at] {
            b'#' => skip(bytes, at, |byte| byte != b'\n' && byte != b'\r'),
            b' ' | b'\t' | b'\r' | b'\n' | b',' => at + 1,
            b'"' => string_end(bytes, at),
            byte if is_name(byte) || byte == b'-' => {
                skip(bytes, at + 1, |byte| is_name(byte) || b".+-".contains(&byte))
            }
            b'.' => skip(bytes, at, |byte| byte == b'.'),
            _ => at + 1,
        };
        let counted = !matches!(bytes[start], b'#' | b' ' | b'\t' | b'\r' | b'\n' | b',');
        tokens += usize::from(counted);
    }
    tokens
}

fn is_name(byte: u8) -> bool {
    byte == b'_' || byte.is_ascii_alphanumeric()
}

fn skip(bytes: &[u8], from: usize, belongs: impl Fn(u8) -> bool) -> usize {
    bytes[from..].iter().position(|byte| !belongs(*byte)).map_or(bytes.len(), |length| from + length)
}

/// The index behind a string or block string that opens at `at`.
fn string_end(bytes: &[u8], at: usize) -> usize {
    let block = bytes[at..].starts_with(b"\"\"\"");
    let mut index = at + if block { 3 } else { 1 };
    while index < bytes.len() {
        match bytes[index] {
            b'\\' if block && bytes[index..].starts_with(b"\\\"\"\"") => index += 4,
            b'\\' if !block => index += 2,
            b'"' if !block => return index + 1,
            b'"' if bytes[index..].starts_with(b"\"\"\"") => return index + 3,
            b'\n' if !block => return index,
            _ => index += 1,
        }
    }
    bytes.len()
}

#[cfg(test)]
mod tests {
    use super::count;

    #[test]
    fn tokens_are_counted_as_the_specification_names_them() {
        for (source, tokens) in [
            ("", 0),
            ("{a}", 3),
            ("{ a, b ,c } # comment { d }", 5),
            ("query Q($a: Int = -1.5e+3) { f(x: $a) }", 19),
            (r#"{ f(s: "a \" { b }") }"#, 8),
            (r#"{ f(s: """a " \""" { b }""") }"#, 8),
            ("{ ...F ... on X { a } }", 10),
            ("\"open", 1),
        ] {
            assert_eq!(count(source, 1_000), tokens, "{source}");
        }
        assert_eq!(count(&"a ".repeat(5_000), 1_000), 1_001);
    }
}
