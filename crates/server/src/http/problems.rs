//! Which errors an operation can answer with, for its description.

use super::problem::Problem;
use crate::error::Kind;
use std::collections::BTreeMap;
use utoipa::ToSchema;
use utoipa::openapi::content::ContentBuilder;
use utoipa::openapi::response::ResponseBuilder;
use utoipa::openapi::{Ref, RefOr, Response};

/// Problem answers by status; kinds that share a status share its description.
pub fn responses(kinds: &[Kind]) -> BTreeMap<String, RefOr<Response>> {
    let mut sentences: BTreeMap<u16, Vec<String>> = BTreeMap::new();
    for kind in kinds {
        let (status, code, title) = kind.row();
        sentences.entry(status).or_default().push(format!("`{code}`: {title}"));
    }
    let schema = RefOr::Ref(Ref::from_schema_name(Problem::name()));
    sentences
        .into_iter()
        .map(|(status, sentences)| {
            let content = ContentBuilder::new().schema(Some(schema.clone())).build();
            let response = ResponseBuilder::new()
                .description(sentences.join("; "))
                .content("application/problem+json", content)
                .build();
            (status.to_string(), RefOr::T(response))
        })
        .collect()
}

/// Makes a type that stands for a set of problem answers in `#[utoipa::path(responses(…))]`.
macro_rules! problems {
    ($(#[$doc:meta])* $name:ident: $($kind:ident),+ $(,)?) => {
        $(#[$doc])*
        pub struct $name;

        impl utoipa::IntoResponses for $name {
            fn responses() -> std::collections::BTreeMap<String, utoipa::openapi::RefOr<utoipa::openapi::Response>> {
                $crate::http::problems::responses(&[$($crate::error::Kind::$kind),+])
            }
        }
    };
}
pub(super) use problems;

problems! {
    /// A question of a person.
    Reading: InvalidRequest, InvalidKey, Forbidden, UnknownWorkspace, StoreUnavailable, Internal
}
problems! {
    /// A change by a person.
    Changing: InvalidRequest, InvalidKey, Forbidden, UnknownWorkspace, PayloadTooLarge, AuditUnavailable, Overloaded,
    Internal
}
