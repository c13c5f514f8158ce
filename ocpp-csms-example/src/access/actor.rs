//! Who makes a request.

use std::net::IpAddr;
use std::sync::Arc;

use super::{Role, Scope, Scopes};

/// Who somebody is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Who {
    /// Nobody said who it is.
    Anonymous,
    /// The program itself, such as on a schedule.
    Program,
    /// The holder of the API token of the installation.
    Installation,
    /// The holder of an API token that an operator made.
    ApiToken {
        /// Its id.
        id: Arc<str>,
        /// What it was made for.
        name: Arc<str>,
    },
    /// An operator who signed in.
    Operator {
        /// The account's id.
        id: Arc<str>,
        /// The name it signs in with.
        name: Arc<str>,
        /// What it is there for.
        role: Role,
    },
    /// A driver who signed in.
    Driver {
        /// The account's id.
        id: Arc<str>,
        /// What the driver wants to be called.
        name: Arc<str>,
    },
}

/// Who makes a request, and what they may do. Every request carries one (`Extension<Actor>`), pages and REST alike.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Actor {
    /// Who it is.
    pub who: Who,
    /// What they may do.
    pub scopes: Scopes,
    /// Where the request came from, if it came from anywhere.
    pub address: Option<IpAddr>,
    /// What the forms of this session send along, to show that they are ours. `None` where there is no session.
    pub csrf: Option<Arc<str>>,
}

impl Actor {
    /// The program itself.
    #[must_use]
    pub fn program() -> Self {
        Self { who: Who::Program, scopes: Scopes::NONE, address: None, csrf: None }
    }

    /// Nobody in particular.
    #[must_use]
    pub fn anonymous(address: Option<IpAddr>) -> Self {
        Self { who: Who::Anonymous, scopes: Scopes::NONE, address, csrf: None }
    }

    /// Whether they may do what needs this scope.
    #[must_use]
    pub fn may(&self, scope: Scope) -> bool {
        self.scopes.contains(scope)
    }

    /// Whether nobody said who they are.
    #[must_use]
    pub fn is_anonymous(&self) -> bool {
        self.who == Who::Anonymous
    }

    /// What they are called, where people read it.
    #[must_use]
    pub fn name(&self) -> &str {
        match &self.who {
            Who::Anonymous => "anonymous",
            Who::Program => "ocpp-csms",
            Who::Installation => "API token",
            Who::ApiToken { name, .. } | Who::Operator { name, .. } | Who::Driver { name, .. } => name,
        }
    }

    /// What kind of actor it is, as the audit log keeps it.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match &self.who {
            Who::Anonymous => "anonymous",
            Who::Program => "program",
            Who::Installation => "installation",
            Who::ApiToken { .. } => "api_token",
            Who::Operator { .. } => "operator",
            Who::Driver { .. } => "driver",
        }
    }

    /// The id of the account or of the API token.
    #[must_use]
    pub fn id(&self) -> Option<&str> {
        match &self.who {
            Who::ApiToken { id, .. } | Who::Operator { id, .. } | Who::Driver { id, .. } => Some(id),
            Who::Anonymous | Who::Program | Who::Installation => None,
        }
    }

    /// The driver's id, if it is a driver.
    #[must_use]
    pub fn driver(&self) -> Option<&str> {
        match &self.who {
            Who::Driver { id, .. } => Some(id),
            _ => None,
        }
    }
}
