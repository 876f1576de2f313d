//! Shapes of what is sent and answered, each in one line, and the JSON Schema that a line stands for.
//!
//! A line holds fields with blanks between, each `name`, a mark and `:type`; without a type it is text. Marks: `!` must
//! be sent (in requests), `?` may be null, `*` may be missing (in answers, where every other field always stands).
//! Types: `text`, `int`, `bool`, `day`, `time`, `id`, `hash`, `any`; `a|b` one of these words; `[T]` a list, `{T}` an
//! object of any names; `Name` a shape of [`super::shapes`]. A name that ends in `.*` stands for all that begin so.

use serde_json::{Map, Value, json};

/// Which way a shape travels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// From who asks: only what is marked must be there, and nothing else may.
    Request,
    /// To who asked: all is there but what is marked, and more may come with a later release.
    Answer,
}

/// One field of a shape.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Field {
    /// Its name.
    pub name: &'static str,
    /// `!`, `?`, `*`, or a blank for none.
    pub mark: char,
    /// Its type, as it is written.
    pub kind: &'static str,
}

impl Field {
    /// Whether a field of this name is meant.
    #[must_use]
    pub fn is_named(&self, name: &str) -> bool {
        match self.name.strip_suffix('*') {
            Some(beginning) => name.starts_with(beginning),
            None => self.name == name,
        }
    }

    /// Whether a text is one of the declared words, where the type is such; an empty one stands for none.
    #[must_use]
    pub fn may_say(&self, text: &str) -> bool {
        !self.kind.contains('|') || text.is_empty() || self.kind.split('|').any(|word| word == text)
    }
}

/// The fields of a line.
pub fn fields(line: &'static str) -> impl Iterator<Item = Field> {
    line.split_whitespace().map(|written| {
        let (name, kind) = written.split_once(':').unwrap_or((written, "text"));
        let wild = name.ends_with(".*");
        match name.char_indices().next_back() {
            Some((at, mark @ ('!' | '?' | '*'))) if !wild => Field { name: &name[..at], mark, kind },
            _ => Field { name, mark: ' ', kind },
        }
    })
}

/// The schema of a type.
#[must_use]
pub fn of_type(kind: &str) -> Value {
    let inner = |open: char, close: char| kind.strip_prefix(open).and_then(|rest| rest.strip_suffix(close));
    if let Some(items) = inner('[', ']') {
        return json!({ "type": "array", "items": of_type(items) });
    }
    if let Some(values) = inner('{', '}') {
        return json!({ "type": "object", "additionalProperties": of_type(values) });
    }
    match kind {
        "any" => json!({}),
        "text" => json!({ "type": "string" }),
        "int" => json!({ "type": "integer", "format": "int64" }),
        "bool" => json!({ "type": "boolean" }),
        "day" => json!({ "type": "string", "format": "date" }),
        "time" => json!({
            "type": "integer", "format": "int64", "description": "microseconds since 1970-01-01 00:00 UTC",
        }),
        "id" => json!({ "type": "string", "format": "uuid" }),
        "hash" => json!({ "type": "string", "pattern": "^[0-9a-f]{64}$" }),
        name if name.starts_with(|first: char| first.is_ascii_uppercase()) && !name.contains('|') => {
            json!({ "$ref": format!("#/components/schemas/{name}") })
        }
        words => json!({ "type": "string", "enum": words.split('|').collect::<Vec<_>>() }),
    }
}

/// The schema of a line.
#[must_use]
pub fn object(line: &'static str, way: Way) -> Value {
    let (mut properties, mut patterns, mut required) = (Map::new(), Map::new(), Vec::new());
    for field in fields(line) {
        let kind = of_type(field.kind);
        if let Some(beginning) = field.name.strip_suffix(".*") {
            patterns.insert(format!("^{beginning}\\."), kind);
            continue;
        }
        let must_be_there = match way {
            Way::Request => field.mark == '!',
            Way::Answer => field.mark != '*',
        };
        if must_be_there {
            required.push(field.name);
        }
        let kind = if field.mark == '?' { json!({ "anyOf": [kind, { "type": "null" }] }) } else { kind };
        properties.insert(field.name.to_owned(), kind);
    }
    let mut schema = json!({ "type": "object", "properties": properties });
    if !required.is_empty() {
        schema["required"] = json!(required);
    }
    if !patterns.is_empty() {
        schema["patternProperties"] = Value::Object(patterns);
    }
    if way == Way::Request {
        schema["additionalProperties"] = Value::Bool(false);
    }
    schema
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_says_what_must_be_sent_and_refuses_the_rest() {
        let schema = object("member! points!:int waits:bool field.*", Way::Request);
        assert_eq!(schema["required"], json!(["member", "points"]));
        assert_eq!(schema["properties"]["waits"], json!({ "type": "boolean" }));
        assert_eq!(schema["patternProperties"]["^field\\."], json!({ "type": "string" }));
        assert_eq!(schema["additionalProperties"], json!(false));
    }

    #[test]
    fn an_answer_has_all_of_its_fields_but_those_that_may_be_missing() {
        let line = "card:id under?:id cards*:[Card] state:open|done by:{int} unit:PTS|CNY";
        let schema = object(line, Way::Answer);
        assert_eq!(schema["required"], json!(["card", "under", "state", "by", "unit"]));
        assert_eq!(schema["properties"]["under"]["anyOf"][1], json!({ "type": "null" }));
        assert_eq!(schema["properties"]["cards"]["items"]["$ref"], "#/components/schemas/Card");
        assert_eq!(schema["properties"]["state"]["enum"], json!(["open", "done"]));
        assert_eq!(
            schema["properties"]["unit"]["enum"],
            json!(["PTS", "CNY"]),
            "words in capitals are words"
        );
        assert_eq!(schema["properties"]["by"]["additionalProperties"]["type"], "integer");
        assert!(schema.get("additionalProperties").is_none(), "answers may grow");
    }

    #[test]
    fn a_field_of_words_says_one_of_them_or_nothing() {
        let field = fields("by:issued|replaced").next().expect("a field");
        assert!(field.may_say("issued") && field.may_say("replaced") && field.may_say(""));
        assert!(!field.may_say("issued|replaced") && !field.may_say("moon"));
        assert!(fields("kind").next().expect("a field").may_say("moon"));
    }

    #[test]
    fn a_wild_name_stands_for_all_that_begin_so() {
        let field = fields("field.*").next().expect("a field");
        assert!(field.is_named("field.colour") && !field.is_named("fields") && !field.is_named("other"));
    }
}
