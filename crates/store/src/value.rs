//! Values going in, rows coming out.

use uuid::Uuid;

use crate::Error;

/// One SQL value. An instant is an `Int` of microseconds since 1970 on both engines; a UUID is `Bytes` of length 16.
#[derive(Clone, PartialEq, Debug)]
pub enum Value {
    /// SQL `null` of any type.
    Null,
    /// `bigint`, `timestamptz` (µs).
    Int(i64),
    /// `double precision`.
    Real(f64),
    /// `boolean`.
    Bool(bool),
    /// `text`, `jsonb`. Must not hold a NUL character, which `PostgreSQL` refuses.
    Text(String),
    /// `bytea`, `uuid`.
    Bytes(Vec<u8>),
}

impl Value {
    const fn kind(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Int(_) => "integer",
            Self::Real(_) => "real",
            Self::Bool(_) => "boolean",
            Self::Text(_) => "text",
            Self::Bytes(_) => "bytes",
        }
    }
}

macro_rules! into_value {
    ($($type:ty => |$it:ident| $value:expr;)*) => {
        $(impl From<$type> for Value {
            fn from($it: $type) -> Self {
                $value
            }
        })*
    };
}

into_value! {
    i64 => |it| Value::Int(it);
    i32 => |it| Value::Int(i64::from(it));
    u32 => |it| Value::Int(i64::from(it));
    u8 => |it| Value::Int(i64::from(it));
    f64 => |it| Value::Real(it);
    bool => |it| Value::Bool(it);
    &str => |it| Value::Text(it.to_owned());
    String => |it| Value::Text(it);
    &String => |it| Value::Text(it.clone());
    &[u8] => |it| Value::Bytes(it.to_vec());
    Vec<u8> => |it| Value::Bytes(it);
    Uuid => |it| Value::Bytes(it.as_bytes().to_vec());
}

impl<const N: usize> From<[u8; N]> for Value {
    fn from(bytes: [u8; N]) -> Self {
        Self::Bytes(bytes.to_vec())
    }
}

impl<T: Into<Value>> From<Option<T>> for Value {
    fn from(it: Option<T>) -> Self {
        it.map_or(Self::Null, Into::into)
    }
}

/// The parameters of a statement, `$1` first: `params![account_id, "name", 5]`.
#[macro_export]
macro_rules! params {
    () => { &[] as &[$crate::Value] };
    ($($value:expr),+ $(,)?) => { &[$($crate::Value::from($value)),+] as &[$crate::Value] };
}

/// One row of an answer; columns are numbered from 0 in the order of the `select` list.
#[derive(Clone, PartialEq, Debug)]
pub struct Row {
    values: Vec<Value>,
}

impl Row {
    pub(crate) fn new(values: Vec<Value>) -> Self {
        Self { values }
    }

    /// The value of a column as a Rust type. [`Error::Column`] if there is no such column or it holds another type.
    pub fn get<T: FromValue>(&self, column: usize) -> Result<T, Error> {
        let value = self.values.get(column).ok_or(Error::Column {
            column,
            expected: T::EXPECTED,
            found: "no such column",
        })?;
        T::from_value(value).ok_or(Error::Column { column, expected: T::EXPECTED, found: value.kind() })
    }
}

/// A type that a column can be read as.
pub trait FromValue: Sized {
    /// What to call the type in an error.
    const EXPECTED: &'static str;
    /// `None` if the value is of another type or out of range.
    fn from_value(value: &Value) -> Option<Self>;
}

macro_rules! from_value {
    ($($type:ty, $expected:literal, $($pattern:pat => $result:expr),+;)*) => {
        $(impl FromValue for $type {
            const EXPECTED: &'static str = $expected;
            fn from_value(value: &Value) -> Option<Self> {
                match value {
                    $($pattern => $result,)+
                    _ => None,
                }
            }
        })*
    };
}

from_value! {
    i64, "integer", Value::Int(it) => Some(*it);
    i32, "integer of 32 bits", Value::Int(it) => i32::try_from(*it).ok();
    u32, "unsigned integer of 32 bits", Value::Int(it) => u32::try_from(*it).ok();
    u8, "integer from 0 to 255", Value::Int(it) => u8::try_from(*it).ok();
    f64, "real", Value::Real(it) => Some(*it);
    bool, "boolean", Value::Bool(it) => Some(*it), Value::Int(0) => Some(false), Value::Int(1) => Some(true);
    String, "text", Value::Text(it) => Some(it.clone());
    Vec<u8>, "bytes", Value::Bytes(it) => Some(it.clone());
    Uuid, "uuid", Value::Bytes(it) => Uuid::from_slice(it).ok();
}

impl<const N: usize> FromValue for [u8; N] {
    const EXPECTED: &'static str = "bytes of a fixed length";
    fn from_value(value: &Value) -> Option<Self> {
        match value {
            Value::Bytes(it) => it.as_slice().try_into().ok(),
            _ => None,
        }
    }
}

impl<T: FromValue> FromValue for Option<T> {
    const EXPECTED: &'static str = T::EXPECTED;
    fn from_value(value: &Value) -> Option<Self> {
        match value {
            Value::Null => Some(None),
            other => T::from_value(other).map(Some),
        }
    }
}
