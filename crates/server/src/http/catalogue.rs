//! The action catalogue: what action types there are, and what they do.

use super::caller::Admin;
use super::problems::Reading;
use axum::Json;
use runplane_core::catalogue::{ActionType, Catalogue, Field, Unit};
use serde::Serialize;
use utoipa::ToSchema;

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct CatalogueView {
    actions: Vec<ActionTypeView>,
    /// Context members that any action may carry.
    common_fields: Vec<ContextFieldView>,
}

/// A canonical action type.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ActionTypeView {
    name: String,
    description: String,
    domain: String,
    /// `read`, `write` or `destructive`.
    effect: String,
    reversible: bool,
    /// Inherent risk, 0 to 100.
    base_risk: u8,
    parent: Option<String>,
    /// This type and its parents, nearest first.
    lineage: Vec<String>,
    /// Other names that mean this type.
    aliases: Vec<String>,
    /// How an action of this type is shown to the person who approves it.
    template: String,
    fields: Vec<ContextFieldView>,
}

/// A member of the context with a known meaning.
#[derive(Serialize, ToSchema)]
pub struct ContextFieldView {
    name: String,
    kind: String,
    /// `money`, `count` or `percent`.
    unit: Option<String>,
    /// It is the real parameter of the call.
    effective: bool,
    required: bool,
    description: String,
}

impl From<&Field> for ContextFieldView {
    fn from(field: &Field) -> Self {
        Self {
            name: field.name.clone(),
            kind: field.kind.as_str().to_owned(),
            unit: field.unit.map(|unit| unit_name(unit).to_owned()),
            effective: field.effective,
            required: field.required,
            description: field.about.clone(),
        }
    }
}

impl From<&ActionType> for ActionTypeView {
    fn from(kind: &ActionType) -> Self {
        let definition = &kind.definition;
        Self {
            name: kind.name.to_string(),
            description: definition.about.clone(),
            domain: definition.domain.as_str().to_owned(),
            effect: definition.effect.as_str().to_owned(),
            reversible: definition.reversible,
            base_risk: definition.risk,
            parent: definition.parent.clone(),
            lineage: kind.lineage.iter().map(ToString::to_string).collect(),
            aliases: definition.aliases.clone(),
            template: definition.says.clone(),
            fields: kind.fields.values().map(ContextFieldView::from).collect(),
        }
    }
}

fn unit_name(unit: Unit) -> &'static str {
    match unit {
        Unit::Money => "money",
        Unit::Count => "count",
        Unit::Percent => "percent",
    }
}

/// Read the action catalogue.
#[utoipa::path(get, path = "/api/v1/catalogue", operation_id = "getCatalogue", tag = "catalogue",
    responses((status = 200, description = "All action types, by name", body = CatalogueView), Reading),
    security(("adminToken" = [])))]
pub async fn get_catalogue(admin: Admin) -> Json<CatalogueView> {
    let control = admin.workspace.control();
    // What is in force; without a bundle, what the next one will be made of.
    let catalogue = control.bundle.as_ref().map_or_else(Catalogue::builtin, |bundle| bundle.catalogue().clone());
    Json(CatalogueView {
        actions: catalogue.types().map(|kind| ActionTypeView::from(kind.as_ref())).collect(),
        common_fields: catalogue.common_fields().values().map(ContextFieldView::from).collect(),
    })
}
