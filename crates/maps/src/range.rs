//! Conditions and ranges of requests (RFC 9110, sections 13 and 14).

use axum::http::{HeaderMap, HeaderName, HeaderValue, header};

/// Which bytes a request is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wanted {
    /// No range, or one that may be ignored: several at once, another unit, not well formed, of an older version.
    All,
    /// From the first to the last, both included.
    Part { first: u64, last: u64 },
    /// A range that begins beyond the end.
    Nothing,
}

/// What a request wants of `length` bytes that are known by this strong tag.
pub(crate) fn wanted(request: &HeaderMap, etag: &HeaderValue, length: u64) -> Wanted {
    // Only a range of the very bytes that the client has parts of; dates are never ours.
    if request.get(header::IF_RANGE).is_some_and(|theirs| theirs != etag) {
        return Wanted::All;
    }
    let range = request.get(header::RANGE).and_then(|value| value.to_str().ok());
    range.and_then(|range| parse(range, length)).unwrap_or(Wanted::All)
}

/// One range of bytes, `None` where the header is to be ignored.
fn parse(range: &str, length: u64) -> Option<Wanted> {
    let (unit, set) = range.split_once('=')?;
    if !unit.trim().eq_ignore_ascii_case("bytes") {
        return None;
    }
    let (first, last) = set.trim().split_once('-')?;
    let number = |text: &str| -> Option<u64> {
        let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        // More digits than fit are beyond any end.
        is_number.then(|| text.parse().unwrap_or(u64::MAX))
    };
    let (first, last) = match (first, last) {
        ("", suffix) => (length.saturating_sub(number(suffix)?), u64::MAX),
        (first, "") => (number(first)?, u64::MAX),
        (first, last) => (number(first)?, number(last)?),
    };
    if first > last {
        return None;
    }
    let last = last.min(length.saturating_sub(1));
    Some(if first >= length { Wanted::Nothing } else { Wanted::Part { first, last } })
}

/// Is a tag, or `*`, in a list of tags? Weakness does not matter, as If-None-Match wants it.
pub(crate) fn names_tag(request: &HeaderMap, name: &HeaderName, etag: &HeaderValue) -> bool {
    let ours = etag.to_str().expect("tags are hexadecimal");
    let lines = request.get_all(name).iter().filter_map(|line| line.to_str().ok());
    lines
        .flat_map(|line| line.split(','))
        .map(str::trim)
        .any(|theirs| theirs == "*" || theirs.strip_prefix("W/").unwrap_or(theirs) == ours)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ETAG: HeaderValue = HeaderValue::from_static("\"aa\"");

    fn request(lines: &[(HeaderName, &'static str)]) -> HeaderMap {
        lines.iter().map(|(name, value)| (name.clone(), HeaderValue::from_static(value))).collect()
    }

    #[test]
    fn ranges_are_read_as_the_standard_says() {
        let check = |range, expected| {
            assert_eq!(wanted(&request(&[(header::RANGE, range)]), &ETAG, 1_000), expected, "{range}");
        };
        check("bytes=0-499", Wanted::Part { first: 0, last: 499 });
        check("bytes=500-", Wanted::Part { first: 500, last: 999 });
        check("bytes=-1", Wanted::Part { first: 999, last: 999 });
        check("bytes=-5000", Wanted::Part { first: 0, last: 999 });
        check("bytes=999-99999999999999999999999", Wanted::Part { first: 999, last: 999 });
        check("bytes=1000-", Wanted::Nothing);
        check("bytes=99999999999999999999999-", Wanted::Nothing);
        check("bytes=-0", Wanted::Nothing);
        for ignored in
            ["bytes=0-1,5-6", "lines=0-1", "bytes=", "bytes=5", "bytes=a-b", "bytes=2-1", "bytes=+1-2"]
        {
            check(ignored, Wanted::All);
        }
        assert_eq!(wanted(&request(&[(header::RANGE, "bytes=0-")]), &ETAG, 0), Wanted::Nothing);
    }

    #[test]
    fn a_range_of_another_version_is_answered_with_all() {
        let with = |tag| request(&[(header::RANGE, "bytes=0-1"), (header::IF_RANGE, tag)]);
        assert_eq!(wanted(&with("\"aa\""), &ETAG, 9), Wanted::Part { first: 0, last: 1 });
        for other in ["\"bb\"", "W/\"aa\"", "Sat, 21 Nov 2026 12:00:00 GMT"] {
            assert_eq!(wanted(&with(other), &ETAG, 9), Wanted::All);
        }
    }

    #[test]
    fn tags_are_found_in_lists() {
        let names =
            |list| names_tag(&request(&[(header::IF_NONE_MATCH, list)]), &header::IF_NONE_MATCH, &ETAG);
        assert!(names("\"aa\"") && names("*") && names("\"x\", W/\"aa\""));
        assert!(!names("\"a\"") && !names("aa") && !names(""));
    }
}
