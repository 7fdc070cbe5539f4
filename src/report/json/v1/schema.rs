//! The JSON Schema of all documents of this version.

use schemars::generate::SchemaSettings;
use serde_json::{Value, json};

use super::{
    Certificate, EventLine, ExtendReport, ImagesReport, LoadReport, PlanReport, SaveReport,
    StatusReport, UpReport,
};

/// One schema (draft 2020-12) with each document as a definition by its type's name.
pub fn schema() -> Value {
    let mut generator = SchemaSettings::draft2020_12()
        .for_serialize()
        .into_generator();
    let documents = [
        generator.subschema_for::<EventLine>(),
        generator.subschema_for::<UpReport>(),
        generator.subschema_for::<StatusReport>(),
        generator.subschema_for::<PlanReport>(),
        generator.subschema_for::<Certificate>(),
        generator.subschema_for::<ImagesReport>(),
        generator.subschema_for::<ExtendReport>(),
        generator.subschema_for::<SaveReport>(),
        generator.subschema_for::<LoadReport>(),
    ];
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Seatbox output, version 1",
        "description": "Any document that seatbox writes for programs. Fields and values of enumerations may be added within version 1.",
        "anyOf": documents,
        "$defs": generator.take_definitions(true),
    })
}

#[cfg(test)]
#[path = "schema_tests.rs"]
mod tests;
