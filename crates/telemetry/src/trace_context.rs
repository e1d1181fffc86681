//! W3C Trace Context: the id by which a request is followed through several systems.
//!
//! `traceparent` is read by the rules of level 1, `tracestate` kept as it came as far as it is well-formed. Ids are
//! handed in, nothing here is random. The `sampled` flag of strangers is passed on and drives nothing of ours.

/// Where in a trace a request stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct TraceContext {
    trace_id: u128,
    parent_id: u64,
    is_sampled: bool,
}

/// Members of a `tracestate`; one with more is not kept.
const STATE_MEMBERS_MAX: usize = 32;

/// Characters of a `tracestate` that are passed on.
const STATE_CHARACTERS_MAX: usize = 512;

/// Members longer than this are the first to go when it is too long.
const LONG_MEMBER_CHARACTERS: usize = 128;

const KEY_CHARACTERS_MAX: usize = 256;
const VALUE_CHARACTERS_MAX: usize = 256;

/// Characters of a `traceparent` of version 00: `00-`, 32, `-`, 16, `-`, 2.
const PARENT_CHARACTERS: usize = 55;

impl TraceContext {
    /// The beginning of a trace. Ids that are zero mean nothing, so they become 1.
    #[must_use]
    pub fn begin(trace_id: u128, parent_id: u64) -> Self {
        Self { trace_id: trace_id.max(1), parent_id: parent_id.max(1), is_sampled: false }
    }

    /// The same trace, one step on: `parent_id` is ours.
    #[must_use]
    pub fn step(self, parent_id: u64) -> Self {
        Self { parent_id: parent_id.max(1), ..self }
    }

    /// Reads a `traceparent`; `None` means to begin a new trace. Of a higher version the first fields are read.
    pub fn parse(text: &str) -> Option<Self> {
        let bytes = text.as_bytes();
        if bytes.len() < PARENT_CHARACTERS || [2, 35, 52].iter().any(|at| bytes[*at] != b'-') {
            return None;
        }
        let version = hex(&bytes[..2])?;
        let is_whole = match version {
            0xff => false,
            0 => bytes.len() == PARENT_CHARACTERS,
            _ => bytes.len() == PARENT_CHARACTERS || bytes[PARENT_CHARACTERS] == b'-',
        };
        let trace_id = hex(&bytes[3..35])?;
        let parent_id = hex(&bytes[36..52])? as u64;
        let flags = hex(&bytes[53..55])?;
        let is_good = is_whole && trace_id != 0 && parent_id != 0;
        is_good.then_some(Self { trace_id, parent_id, is_sampled: flags & 1 == 1 })
    }

    /// The id of the trace as it stands in logs: 32 hexadecimal digits.
    pub fn trace_id(&self) -> String {
        format!("{:032x}", self.trace_id)
    }

    /// As a `traceparent` of version 00. Flags that we do not know are zero.
    pub fn header(&self) -> String {
        format!("00-{:032x}-{:016x}-{:02x}", self.trace_id, self.parent_id, u8::from(self.is_sampled))
    }
}

/// Lower-case hexadecimal digits only, 32 at most.
fn hex(digits: &[u8]) -> Option<u128> {
    digits.iter().try_fold(0u128, |number, digit| {
        let value = match digit {
            b'0'..=b'9' => digit - b'0',
            b'a'..=b'f' => digit - b'a' + 10,
            _ => return None,
        };
        Some(number << 4 | u128::from(value))
    })
}

/// Joins the lines of a `tracestate`, without empty members and shortened to what must be passed on; `None` if there is
/// nothing left or something is not well-formed.
pub fn trace_state<'l>(lines: impl Iterator<Item = &'l str>) -> Option<String> {
    let members: Vec<&str> =
        lines.flat_map(|line| line.split(',')).map(|it| it.trim_matches([' ', '\t'])).collect();
    let mut members: Vec<&str> = members.into_iter().filter(|member| !member.is_empty()).collect();
    let keys: Option<Vec<&str>> = members.iter().map(|member| key_of(member)).collect();
    let mut keys = keys?;
    keys.sort_unstable();
    let is_good = members.len() <= STATE_MEMBERS_MAX && keys.windows(2).all(|pair| pair[0] != pair[1]);
    if !is_good {
        return None;
    }
    let characters =
        |members: &[&str]| members.iter().map(|it| it.len() + 1).sum::<usize>().saturating_sub(1);
    while characters(&members) > STATE_CHARACTERS_MAX {
        let long = members.iter().rposition(|member| member.len() > LONG_MEMBER_CHARACTERS);
        members.remove(long.unwrap_or(members.len() - 1));
    }
    (!members.is_empty()).then(|| members.join(","))
}

/// The key of a well-formed member.
fn key_of(member: &str) -> Option<&str> {
    let (key, value) = member.split_once('=')?;
    let is_key = key.len() <= KEY_CHARACTERS_MAX
        && key.starts_with(|first: char| first.is_ascii_lowercase() || first.is_ascii_digit())
        && key.bytes().all(|it| it.is_ascii_lowercase() || it.is_ascii_digit() || b"_-*/@".contains(&it));
    let is_value = (1..=VALUE_CHARACTERS_MAX).contains(&value.len())
        && value.bytes().all(|it| (0x20..=0x7e).contains(&it) && it != b',' && it != b'=');
    (is_key && is_value).then_some(key)
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

    #[test]
    fn a_traceparent_is_read_by_the_rules_of_the_standard() {
        let trace = "4bf92f3577b34da6a3ce929d0e0e4736";
        for (text, trace_id) in [
            (GOOD, Some(trace)),
            ("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00", Some(trace)),
            ("01-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-extra", Some(trace)),
            ("01-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01", Some(trace)),
            ("cc-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-", Some(trace)),
            ("01-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01.x", None),
            ("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-extra", None),
            ("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-", None),
            ("00-00000000000000000000000000000000-00f067aa0ba902b7-01", None),
            ("00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01", None),
            ("ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01", None),
            ("00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01", None),
            ("00-4bf92f3577b34da6a3ce929d0e0e4736-00F067AA0BA902B7-01", None),
            ("00-4bf92f3577b34da6a3ce929d0e0e473g-00f067aa0ba902b7-01", None),
            ("00_4bf92f3577b34da6a3ce929d0e0e4736_00f067aa0ba902b7_01", None),
            ("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7", None),
            ("0-4bf92f3577b34da6a3ce929d0e0e47360-00f067aa0ba902b7-01", None),
            ("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-0x", None),
            (" 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01", None),
            ("", None),
            ("00-4bf92f3577b34da6a3ce929d0e0e473é-00f067aa0ba902b7-01", None),
        ] {
            let found = TraceContext::parse(text).map(|it| it.trace_id());
            assert_eq!(found.as_deref(), trace_id, "{text}");
        }
    }

    #[test]
    fn a_step_keeps_the_trace_and_answers_as_version_00() {
        let newer = "01-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-ff-extra";
        let step = TraceContext::parse(newer).unwrap().step(0xab);
        assert_eq!(step.header(), "00-4bf92f3577b34da6a3ce929d0e0e4736-00000000000000ab-01");
        assert_eq!(TraceContext::parse(GOOD).unwrap().header(), GOOD);
        let begun = TraceContext::begin(0, 0);
        assert_eq!(TraceContext::parse(&begun.header()), Some(begun), "no id of ours is zero");
    }

    #[track_caller]
    fn check_state(lines: &[&str], expected: Option<&str>) {
        assert_eq!(trace_state(lines.iter().copied()).as_deref(), expected, "{lines:?}");
    }

    #[test]
    fn a_tracestate_is_kept_in_order_or_not_at_all() {
        check_state(
            &["rojo=00f067aa0ba902b7,congo=t61rcWkgMzE"],
            Some("rojo=00f067aa0ba902b7,congo=t61rcWkgMzE"),
        );
        check_state(&["a=1", "b=2, c=3"], Some("a=1,b=2,c=3"));
        check_state(&["a=1,,\t, b=2,"], Some("a=1,b=2"));
        check_state(&["tenant@vendor=x y", "0a*/_-=!"], Some("tenant@vendor=x y,0a*/_-=!"));
        for bad in ["a=1,a=2", "A=1", "a", "a=", "=1", "a=1=2", "_a=1", "a b=1", "a=é", "a=\u{1}"] {
            check_state(&[bad], None);
        }
        check_state(&[], None);
        check_state(&["", " , "], None);
        check_state(&[&format!("{}=1", "k".repeat(257))], None);
        check_state(&[&format!("k={}", "v".repeat(257))], None);
        let many: Vec<String> = (0..33).map(|number| format!("k{number}=v")).collect();
        check_state(&[&many.join(",")], None);
        check_state(&[&many[..32].join(",")], Some(&many[..32].join(",")));
    }

    #[test]
    fn one_that_is_too_long_loses_whole_members_the_long_ones_first() {
        let long = format!("long={}", "v".repeat(200));
        let short: Vec<String> = (0..20).map(|number| format!("k{number}={}", "v".repeat(20))).collect();
        let all = format!("{},{long},{}", short[..10].join(","), short[10..].join(","));
        assert!(all.len() > 512);
        check_state(&[&all], Some(&short.join(",")));
        let many_short: Vec<String> =
            (0..30).map(|number| format!("k{number:02}={}", "v".repeat(20))).collect();
        let kept = trace_state([many_short.join(",").as_str()].into_iter()).unwrap();
        assert!(kept.len() <= 512 && many_short.join(",").starts_with(&kept), "{kept}");
    }
}
