//! The contract of `/api/v1`: every operation is declared here once, with what it asks, takes and tells. Routes, the
//! checks of what is sent ([`gate`]) and the OpenAPI document ([`document`]) all come from these declarations, so that
//! none of them can say something else than another.
//!
//! A new operation is one line in one of the lists below: [`get`] or [`post`] with path, handler and a sentence, then
//! `asks` (names in the address), `takes` (the body), `tells` (the answer), each in the notation of [`shape`].

mod centre;
pub mod document;
pub mod gate;
mod goods;
mod members;
mod once;
mod points;
pub mod shape;
mod shapes;

use axum::Router;
use axum::handler::Handler;
use axum::http::{Method, StatusCode};
use axum::routing::{self, MethodRouter};

use super::Console;

/// The field of a body that a table is.
const TABLE_FIELD: &str = "rows";

/// What one operation asks, takes and tells.
#[derive(Debug, Clone)]
pub struct Contract {
    /// GET or POST.
    pub method: Method,
    /// Its path, with the names of its parts in braces.
    pub path: &'static str,
    /// What it does, in a sentence.
    pub about: &'static str,
    /// Names in the address, as a line of [`shape`].
    pub asks: &'static str,
    /// Fields of the body.
    pub takes: &'static str,
    /// The answer: a line, or the name of a shape.
    pub tells: &'static str,
    /// With which statuses it answers what was asked for.
    pub done: &'static [StatusCode],
    /// Whether the body may also be a table, `text/csv`, with the other fields in the address.
    pub is_table: bool,
    /// Whether nobody needs to be signed in.
    pub is_open: bool,
}

impl Contract {
    /// Whether a field of this name may stand in the body.
    #[must_use]
    pub fn field(&self, name: &str) -> Option<shape::Field> {
        shape::fields(self.takes).find(|field| field.is_named(name))
    }

    /// The field of this name that may stand in the address.
    #[must_use]
    pub fn asked(&self, name: &str) -> Option<shape::Field> {
        shape::fields(self.asks).chain(self.fields_beside_table()).find(|field| field.is_named(name))
    }

    /// Fields that stand in the address where the body is a table.
    pub fn fields_beside_table(&self) -> impl Iterator<Item = shape::Field> {
        shape::fields(self.takes).filter(move |field| self.is_table && field.name != TABLE_FIELD)
    }

    /// The name of the operation: method and path, as programs that are made from the document call it.
    #[must_use]
    pub fn id(&self) -> String {
        let path = self.path.strip_prefix("/api/v1/").unwrap_or(self.path);
        let parts = path.split(|c: char| !c.is_ascii_alphanumeric()).filter(|part| !part.is_empty());
        let words: Vec<&str> = parts.collect();
        format!("{}_{}", self.method.as_str().to_lowercase(), words.join("_"))
    }
}

/// An operation: its contract, and what answers it.
pub struct Operation {
    /// What it asks, takes and tells.
    pub contract: Contract,
    route: MethodRouter<Console>,
}

fn declared(
    method: Method,
    path: &'static str,
    about: &'static str,
    route: MethodRouter<Console>,
) -> Operation {
    let contract = Contract {
        method,
        path,
        about,
        asks: "",
        takes: "",
        tells: "",
        done: &[StatusCode::OK],
        is_table: false,
        is_open: false,
    };
    Operation { contract, route }
}

/// An operation that reads.
fn get<H, T>(path: &'static str, handler: H, about: &'static str) -> Operation
where
    H: Handler<T, Console>,
    T: 'static,
{
    declared(Method::GET, path, about, routing::get(handler))
}

/// An operation that changes something.
fn post<H, T>(path: &'static str, handler: H, about: &'static str) -> Operation
where
    H: Handler<T, Console>,
    T: 'static,
{
    declared(Method::POST, path, about, routing::post(handler))
}

impl Operation {
    /// Names in the address: filters and the place where a page begins.
    fn asks(mut self, line: &'static str) -> Self {
        self.contract.asks = line;
        self
    }

    /// Fields of the body.
    fn takes(mut self, line: &'static str) -> Self {
        self.contract.takes = line;
        self
    }

    /// The answer.
    fn tells(mut self, line: &'static str) -> Self {
        self.contract.tells = line;
        self
    }

    /// It makes something: 201 where it was made now, 200 where it was there already.
    fn creates(mut self) -> Self {
        self.contract.done = &[StatusCode::OK, StatusCode::CREATED];
        self
    }

    /// It begins something that goes on after the answer.
    fn begins(mut self) -> Self {
        self.contract.done = &[StatusCode::ACCEPTED];
        self
    }

    /// The body may also be a table.
    fn or_table(mut self) -> Self {
        self.contract.is_table = true;
        self
    }

    /// Nobody needs to be signed in.
    fn open_to_all(mut self) -> Self {
        self.contract.is_open = true;
        self
    }
}

/// All operations.
#[must_use]
pub fn operations() -> Vec<Operation> {
    let parts = [
        centre::centre(),
        centre::days(),
        centre::activities(),
        members::joining(),
        members::lists(),
        members::people(),
        members::groups_of_fields(),
        members::messages(),
        goods::cards(),
        goods::stock(),
        points::points(),
        points::events(),
        points::rights(),
        points::redemptions(),
        points::catalogue(),
        points::value(),
    ];
    parts.into_iter().flatten().collect()
}

/// All contracts.
#[must_use]
pub fn contracts() -> Vec<Contract> {
    operations().into_iter().map(|operation| operation.contract).collect()
}

/// The routes of all operations.
pub(super) fn router() -> Router<Console> {
    let add = |routes: Router<Console>, operation: Operation| {
        routes.route(operation.contract.path, operation.route)
    };
    operations().into_iter().fold(Router::new(), add)
}

#[cfg(test)]
mod tests;
