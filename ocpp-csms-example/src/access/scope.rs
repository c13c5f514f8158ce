//! What may be done, and which role may do it.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A part of the program that is opened or closed as a whole. Every REST operation and every page needs exactly one, or none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Scope {
    /// To see stations, sessions and reports.
    View,
    /// To steer stations and to decide about tokens and sites.
    Operate,
    /// To work with tariffs, payments and invoices.
    Account,
    /// To decide who may do what, and how the installation is set up.
    Administer,
    /// To use the portal of drivers, as a driver.
    Drive,
}

impl Scope {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::View, Self::Operate, Self::Account, Self::Administer, Self::Drive];

    /// As it is written in the API, its description and the database.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::View => "view",
            Self::Operate => "operate",
            Self::Account => "account",
            Self::Administer => "administer",
            Self::Drive => "drive",
        }
    }

    fn bit(self) -> u8 {
        1 << self as u8
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Scope {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        Self::ALL.into_iter().find(|scope| scope.as_str() == text).ok_or(())
    }
}

/// A set of scopes.
#[derive(Clone, Copy, PartialEq, Eq, Default)]
pub struct Scopes(u8);

impl Scopes {
    /// None.
    pub const NONE: Self = Self(0);

    /// All that operators and programs may have: everything but being a driver.
    #[must_use]
    pub fn of_operators() -> Self {
        Role::Admin.scopes()
    }

    /// Whether this scope is one of them.
    #[must_use]
    pub fn contains(self, scope: Scope) -> bool {
        self.0 & scope.bit() != 0
    }

    /// Those that are in it, in the order of [`Scope::ALL`].
    pub fn iter(self) -> impl Iterator<Item = Scope> {
        Scope::ALL.into_iter().filter(move |scope| self.contains(*scope))
    }
}

impl FromIterator<Scope> for Scopes {
    fn from_iter<I: IntoIterator<Item = Scope>>(scopes: I) -> Self {
        Self(scopes.into_iter().fold(0, |bits, scope| bits | scope.bit()))
    }
}

impl fmt::Debug for Scopes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.iter()).finish()
    }
}

/// Separated by spaces, as they are kept.
impl fmt::Display for Scopes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, scope) in self.iter().enumerate() {
            write!(f, "{}{scope}", if index == 0 { "" } else { " " })?;
        }
        Ok(())
    }
}

impl FromStr for Scopes {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        text.split_ascii_whitespace().map(Scope::from_str).collect()
    }
}

/// What an operator is there for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Sees everything that is not about access, and changes nothing.
    Viewer,
    /// Sees and steers.
    Operator,
    /// Sees, and works with money.
    Accountant,
    /// May do everything that an operator can do.
    Admin,
}

impl Role {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Viewer, Self::Operator, Self::Accountant, Self::Admin];

    /// What it may do.
    #[must_use]
    pub fn scopes(self) -> Scopes {
        match self {
            Self::Viewer => &[Scope::View][..],
            Self::Operator => &[Scope::View, Scope::Operate],
            Self::Accountant => &[Scope::View, Scope::Account],
            Self::Admin => &[Scope::View, Scope::Operate, Scope::Account, Scope::Administer],
        }
        .iter()
        .copied()
        .collect()
    }

    /// As it is written in the API and in the database.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Viewer => "viewer",
            Self::Operator => "operator",
            Self::Accountant => "accountant",
            Self::Admin => "admin",
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Role {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        Self::ALL.into_iter().find(|role| role.as_str() == text).ok_or(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_role_is_what_it_says() {
        let written = |role: Role| role.scopes().to_string();
        assert_eq!(written(Role::Viewer), "view");
        assert_eq!(written(Role::Operator), "view operate");
        assert_eq!(written(Role::Accountant), "view account");
        assert_eq!(written(Role::Admin), "view operate account administer");
    }

    #[test]
    fn scopes_survive_being_written() {
        for scopes in Role::ALL.map(Role::scopes).into_iter().chain([Scopes::NONE]) {
            assert_eq!(scopes.to_string().parse(), Ok(scopes));
        }
        assert_eq!("view everything".parse::<Scopes>(), Err(()));
    }
}
