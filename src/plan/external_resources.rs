//! Resources such as GPUs that a TaskManager is started with (`ExternalResourceUtils`, from 1.13 on).

use super::rejection::{BadValue, ExceptionClass, Outcome, Reason, Rejection};
use super::settings::{Level, Settings};
use crate::config::{Value, yaml};
use crate::flink::profile::ExternalResources;
use crate::flink::{hash_order, keys, structured};

/// A resource and how many of it a TaskManager has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resource {
    /// Its name.
    pub name: String,
    /// How many.
    pub amount: i64,
}

impl Resource {
    /// The option with the amount.
    pub fn amount_key(&self) -> String {
        amount_key(&self.name)
    }
}

fn amount_key(name: &str) -> String {
    format!("external-resource.{name}.amount")
}

/// The resources with a positive amount, in the order in which Flink prints them.
pub fn read(settings: &Settings<'_>) -> Outcome<Vec<Resource>> {
    if settings.profile().behaviour.external_resources == ExternalResources::Ignored {
        return Ok(Vec::new());
    }
    let Some(found) = settings.find(keys::EXTERNAL_RESOURCES) else { return Ok(Vec::new()) };
    if found.setting.value.java_text() == "none" {
        return Ok(Vec::new());
    }
    let mut names = names(settings, &found.setting.value).map_err(|cause| {
        let value = found.setting.value.java_text();
        let message = format!("Could not parse value '{value}' for key '{}'.", keys::EXTERNAL_RESOURCES.name());
        cause.wrapped(ExceptionClass::IllegalArgument, message)
    })?;
    let mut seen = std::collections::HashSet::new();
    names.retain(|name| seen.insert(name.clone()));
    let mut resources = Vec::new();
    for name in walked(&names) {
        let key = amount_key(&name);
        let Some(setting) = settings.config().get(&key) else {
            let text = format!("The amount of the {name} should be configured. Will ignore that resource.");
            settings.notice(Level::Warn, text);
            continue;
        };
        let text = setting.value.java_text();
        let amount = match &setting.value {
            Value::Int(n) => Some(*n),
            _ => java_long(&text),
        };
        let amount = amount.ok_or_else(|| {
            let cause = Rejection::new(ExceptionClass::NumberFormat, format!("For input string: \"{text}\""));
            let message = format!("Could not parse value '{text}' for key '{key}'.");
            cause.wrapped(ExceptionClass::IllegalArgument, message).because(Reason::BadValue(BadValue {
                key: key.clone(),
                value: text.clone().into_owned(),
                place: setting.place.clone(),
                accepted: "a whole number such as 1",
            }))
        })?;
        if amount <= 0 {
            let text = format!(
                "The amount of the {amount} should be positive while finding {name}. Will ignore that resource."
            );
            settings.notice(Level::Warn, text);
            continue;
        }
        resources.push(Resource { name, amount });
    }
    let names: Vec<String> = resources.iter().map(|r| r.name.clone()).collect();
    let order = walked(&names);
    resources.sort_by_key(|r| order.iter().position(|name| *name == r.name));
    Ok(resources)
}

/// `Long.parseLong`.
fn java_long(text: &str) -> Option<i64> {
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    let well_formed = !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit());
    if well_formed { text.parse().ok() } else { None }
}

/// Names in the order in which a `HashSet` of them is walked.
fn walked(names: &[String]) -> Vec<String> {
    let keys: Vec<&str> = names.iter().map(String::as_str).collect();
    hash_order::iteration_order(&keys).into_iter().map(|index| names[index].clone()).collect()
}

fn names(settings: &Settings<'_>, value: &Value) -> Outcome<Vec<String>> {
    if let Value::List(items) = value {
        return Ok(items.iter().map(|item| item.flink_text().into_owned()).collect());
    }
    let text = value.java_text();
    if settings.structures_are_yaml()
        && let Some(items) = yaml_list(&text)
    {
        return Ok(items);
    }
    structured::split(&text, ';').map_err(|e| Rejection::illegal_argument(e.to_string()))
}

fn yaml_list(text: &str) -> Option<Vec<String>> {
    let Value::List(items) = yaml::value(text).ok()?? else { return None };
    Some(items.iter().map(|item| item.flink_text().into_owned()).collect())
}
