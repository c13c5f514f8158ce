//! From normalised schemas to the model.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use anyhow::{Context, anyhow, bail, ensure};
use serde_json::{Map, Value};

use super::model::{Action, Api, Direction, Enumeration, Member, Object, Shape, TypeDefinition};
use crate::standard::Version;

/// Names for what the schemas of 1.6 define in place.
pub(super) fn inline_names(overlay: &Path) -> anyhow::Result<BTreeMap<String, String>> {
    table(&overlay.join("v1_6_names.toml"))
}

/// Who sends each action's request.
pub(super) fn directions(overlay: &Path, version: Version) -> anyhow::Result<BTreeMap<String, String>> {
    let mut versions: BTreeMap<String, BTreeMap<String, String>> = table(&overlay.join("directions.toml"))?;
    versions.remove(version.module()).with_context(|| format!("directions.toml has no table {}", version.module()))
}

fn table<T: serde::de::DeserializeOwned>(path: &Path) -> anyhow::Result<T> {
    let text = fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
    toml::from_str(&text).with_context(|| format!("{} is not what is expected", path.display()))
}

/// Reads all schemas of a version.
pub(super) fn api(
    schemas: &Path,
    version: Version,
    inline_names: &BTreeMap<String, String>,
    directions: &BTreeMap<String, String>,
) -> anyhow::Result<Api> {
    let folder = schemas.join(version.module());
    let mut reader = Reader { inline_names, used_names: BTreeSet::new(), types: BTreeMap::new() };
    let mut messages = BTreeMap::new();
    for entry in fs::read_dir(&folder).with_context(|| format!("cannot read {}", folder.display()))? {
        let path = entry?.path();
        let Some(name) = path.file_stem().and_then(|name| name.to_str()) else { continue };
        let schema: Value = serde_json::from_str(&fs::read_to_string(&path)?)
            .with_context(|| format!("{} is not JSON", path.display()))?;
        let message = reader.message(name, &schema).with_context(|| format!("in {}", path.display()))?;
        messages.insert(name.to_owned(), message);
    }
    ensure!(messages.len() == version.schema_count(), "{} has {} files", folder.display(), messages.len());
    if version == Version::V1_6
        && let Some(unused) = inline_names.keys().find(|name| !reader.used_names.contains(*name))
    {
        bail!("v1_6_names.toml names {unused}, which no schema has");
    }
    let types = reader.types;
    let actions = actions(version, messages, directions)?;
    Ok(Api { version, actions, types })
}

fn actions(
    version: Version,
    mut messages: BTreeMap<String, Object>,
    directions: &BTreeMap<String, String>,
) -> anyhow::Result<Vec<Action>> {
    let mut actions = Vec::new();
    for (name, direction) in directions {
        let direction = match direction.as_str() {
            "station" => Direction::FromStation,
            "csms" => Direction::FromCsms,
            "both" => Direction::Both,
            other => bail!("directions.toml: {name} has the direction {other}"),
        };
        let response = messages.remove(&format!("{name}Response"));
        let request =
            if response.is_some() { messages.remove(&format!("{name}Request")) } else { messages.remove(name) };
        let request =
            request.ok_or_else(|| anyhow!("directions.toml names {name}, which {} lacks", version.edition()))?;
        actions.push(Action { name: name.clone(), direction, request, response });
    }
    if let Some(name) = messages.keys().next() {
        bail!("directions.toml says nothing about {name} of {}", version.edition());
    }
    Ok(actions)
}

struct Reader<'a> {
    inline_names: &'a BTreeMap<String, String>,
    used_names: BTreeSet<String>,
    types: BTreeMap<String, TypeDefinition>,
}

impl Reader<'_> {
    fn message(&mut self, name: &str, schema: &Value) -> anyhow::Result<Object> {
        if let Some(Value::Object(definitions)) = schema.get("definitions") {
            for (type_name, definition) in definitions {
                let definition = self.definition(type_name, definition).with_context(|| type_name.clone())?;
                self.define(definition)?;
            }
        }
        self.object(name, name, schema)
    }

    /// Adds a shared type. No name may have two shapes.
    fn define(&mut self, definition: TypeDefinition) -> anyhow::Result<()> {
        let name = match &definition {
            TypeDefinition::Object(object) => &object.name,
            TypeDefinition::Enumeration(enumeration) => &enumeration.name,
        };
        match self.types.get(name) {
            Some(known) if *known != definition => {
                bail!("{name} has two shapes: {known:?} and {definition:?}; a fixup or another name is needed")
            }
            Some(_) => Ok(()),
            None => {
                self.types.insert(name.clone(), definition);
                Ok(())
            }
        }
    }

    fn definition(&mut self, name: &str, schema: &Value) -> anyhow::Result<TypeDefinition> {
        if schema.get("enum").is_some() {
            return Ok(TypeDefinition::Enumeration(enumeration(name, schema)?));
        }
        Ok(TypeDefinition::Object(self.object(name, name, schema)?))
    }

    fn object(&mut self, name: &str, place: &str, schema: &Value) -> anyhow::Result<Object> {
        ensure!(text(schema, "type") == Some("object"), "{place} is not an object");
        let required: BTreeSet<&str> =
            schema.get("required").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str).collect();
        let empty = Map::new();
        let properties = schema.get("properties").and_then(Value::as_object).unwrap_or(&empty);
        if let Some(unknown) = required.iter().find(|name| !properties.contains_key(**name)) {
            bail!("{place} requires {unknown}, which it does not define");
        }
        let mut members = Vec::new();
        for (member, schema) in properties {
            members.push(Member {
                name: member.clone(),
                required: required.contains(member.as_str()),
                shape: self.shape(&format!("{place}.{member}"), schema)?,
                default: schema
                    .get("default")
                    .map(|value| value.as_str().map_or_else(|| value.to_string(), str::to_owned)),
            });
        }
        // What is required first, as in the constructor; otherwise the schema's order.
        members.sort_by_key(|member| !member.required);
        let open = schema.get("additionalProperties") != Some(&Value::Bool(false));
        Ok(Object { name: name.to_owned(), members, open })
    }

    fn shape(&mut self, place: &str, schema: &Value) -> anyhow::Result<Shape> {
        if let Some(reference) = text(schema, "$ref") {
            let name =
                reference.strip_prefix("#/definitions/").with_context(|| format!("{place} refers to {reference}"))?;
            // Whether it is an object or an enumeration, the name tells in 2.x and in the security extension.
            return Ok(if name.ends_with("EnumType") {
                Shape::Enumeration(name.to_owned())
            } else {
                Shape::Object(name.to_owned())
            });
        }
        let limit = |keyword: &str| schema.get(keyword).and_then(Value::as_i64);
        let count = |keyword: &str| schema.get(keyword).and_then(Value::as_u64);
        Ok(match text(schema, "type") {
            None => Shape::Any,
            Some("string") if schema.get("enum").is_some() => {
                let name = self.inline_name(place)?;
                self.define(TypeDefinition::Enumeration(enumeration(&name, schema)?))?;
                Shape::Enumeration(name)
            }
            Some("string") => match text(schema, "format") {
                None => Shape::Text { maximum: count("maxLength") },
                Some("date-time") => Shape::DateTime,
                Some("uri") => Shape::Uri,
                Some(format) => bail!("{place} has the format {format}, which this tool doesn't know"),
            },
            Some("integer") => Shape::Integer { minimum: limit("minimum"), maximum: limit("maximum") },
            Some("number") => Shape::Number {
                minimum: limit("minimum"),
                maximum: limit("maximum"),
                decimal_places: match schema.get("multipleOf").and_then(Value::as_f64) {
                    None => None,
                    Some(0.1) => Some(1),
                    Some(other) => bail!("{place} is a multiple of {other}, which this tool doesn't know"),
                },
            },
            Some("boolean") => Shape::Boolean,
            Some("array") => Shape::List {
                item: Box::new(self.shape(place, schema.get("items").context("a list has items")?)?),
                minimum: count("minItems").unwrap_or(0),
                maximum: count("maxItems"),
            },
            Some("object") => {
                let name = self.inline_name(place)?;
                let object = self.object(&name, place, schema)?;
                self.define(TypeDefinition::Object(object))?;
                Shape::Object(name)
            }
            Some(other) => bail!("{place} has the type {other}"),
        })
    }

    fn inline_name(&mut self, place: &str) -> anyhow::Result<String> {
        let name = self.inline_names.get(place).with_context(|| format!("v1_6_names.toml has no name for {place}"))?;
        self.used_names.insert(place.to_owned());
        Ok(name.clone())
    }
}

fn enumeration(name: &str, schema: &Value) -> anyhow::Result<Enumeration> {
    let values = schema.get("enum").and_then(Value::as_array).context("an enumeration has values")?;
    let values = values.iter().map(|value| value.as_str().map(str::to_owned).context("values are texts"));
    Ok(Enumeration { name: name.to_owned(), values: values.collect::<anyhow::Result<_>>()? })
}

fn text<'a>(schema: &'a Value, keyword: &str) -> Option<&'a str> {
    schema.get(keyword).and_then(Value::as_str)
}
