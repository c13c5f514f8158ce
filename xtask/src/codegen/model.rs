//! What is known of a version once its schemas are read.

use std::collections::BTreeMap;

use crate::standard::Version;

/// A version's messages and shared types.
pub(super) struct Api {
    pub(super) version: Version,
    pub(super) actions: Vec<Action>,
    pub(super) types: BTreeMap<String, TypeDefinition>,
}

/// An action and its messages.
pub(super) struct Action {
    pub(super) name: String,
    pub(super) direction: Direction,
    pub(super) request: Object,
    /// A SEND has none.
    pub(super) response: Option<Object>,
}

/// Who sends the request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Direction {
    FromStation,
    FromCsms,
    Both,
}

/// A shared type.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum TypeDefinition {
    Object(Object),
    Enumeration(Enumeration),
}

/// An object with named members.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Object {
    pub(super) name: String,
    pub(super) members: Vec<Member>,
    /// Whether other members are allowed.
    pub(super) open: bool,
}

/// An enumeration of texts.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Enumeration {
    pub(super) name: String,
    pub(super) values: Vec<String>,
}

/// A member of an object.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Member {
    pub(super) name: String,
    pub(super) required: bool,
    pub(super) shape: Shape,
    /// As the schema writes it, for the documentation: a default is never written by us.
    pub(super) default: Option<String>,
}

/// What a member holds.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Shape {
    Text { maximum: Option<u64> },
    Uri,
    DateTime,
    Integer { minimum: Option<i64>, maximum: Option<i64> },
    Number { minimum: Option<i64>, maximum: Option<i64>, decimal_places: Option<u32> },
    Boolean,
    Enumeration(String),
    Object(String),
    List { item: Box<Shape>, minimum: u64, maximum: Option<u64> },
    Any,
}

/// Optional objects above this size are boxed, so that a message without them stays small.
const INLINE_LIMIT: usize = 64;

impl Api {
    /// Whether the member is a `Box`.
    pub(super) fn is_boxed(&self, member: &Member) -> bool {
        // `customData` is on every object of 2.x and hardly ever there.
        !member.required
            && matches!(&member.shape, Shape::Object(name) if name == "CustomDataType" || self.object_size(name) > INLINE_LIMIT)
    }

    fn object_size(&self, name: &str) -> usize {
        match self.types.get(name) {
            Some(TypeDefinition::Object(object)) => {
                8 + object.members.iter().map(|member| self.member_size(member)).sum::<usize>()
            }
            _ => 0,
        }
    }

    /// About the bytes that a member takes in memory.
    fn member_size(&self, member: &Member) -> usize {
        match &member.shape {
            Shape::Text { .. } | Shape::Uri | Shape::List { .. } => 24,
            Shape::DateTime | Shape::Enumeration(_) | Shape::Any => 16,
            Shape::Integer { .. } => {
                if member.required {
                    8
                } else {
                    16
                }
            }
            Shape::Number { .. } => {
                if member.required {
                    16
                } else {
                    20
                }
            }
            Shape::Boolean => 1,
            Shape::Object(_) if self.is_boxed(member) => 8,
            Shape::Object(name) => self.object_size(name),
        }
    }

    /// The Rust type of a shape.
    pub(super) fn rust_type(shape: &Shape) -> String {
        match shape {
            Shape::Text { maximum: Some(maximum) } => format!("Text<{maximum}>"),
            Shape::Text { maximum: None } | Shape::Uri => "String".to_owned(),
            Shape::DateTime => "DateTime".to_owned(),
            Shape::Integer { .. } => "i64".to_owned(),
            Shape::Number { .. } => "Decimal".to_owned(),
            Shape::Boolean => "bool".to_owned(),
            Shape::Enumeration(name) | Shape::Object(name) => name.clone(),
            Shape::List { item, .. } => format!("Vec<{}>", Self::rust_type(item)),
            Shape::Any => "Json".to_owned(),
        }
    }

    /// The Rust type of a member's value, without `Option`.
    pub(super) fn value_type(&self, member: &Member) -> String {
        let inner = Self::rust_type(&member.shape);
        if self.is_boxed(member) { format!("Box<{inner}>") } else { inner }
    }
}

impl Shape {
    /// The named types that a shape refers to.
    pub(super) fn references(&self) -> Option<&str> {
        match self {
            Self::Enumeration(name) | Self::Object(name) => Some(name),
            Self::List { item, .. } => item.references(),
            _ => None,
        }
    }
}
