//! Lines in, lines out: `ocpp-cp validate --jsonl`.

use std::borrow::Cow;
use std::io::{self, BufRead, BufReader, BufWriter, Read, Write};

use ocpp_core::types::{Conformance, ErrorCode, Version};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::judge::{Finding, Judgement, MessageKind, judge};
use crate::config::version_named;

/// What a line says.
#[derive(Deserialize)]
struct Line<'a> {
    #[serde(borrow)]
    version: Cow<'a, str>,
    #[serde(borrow)]
    action: Cow<'a, str>,
    #[serde(rename = "type", borrow)]
    kind: Cow<'a, str>,
    #[serde(borrow)]
    payload: &'a RawValue,
}

/// What is answered.
#[derive(Serialize)]
struct Answer<'a> {
    valid: bool,
    findings: &'a [Finding],
    payload: Option<&'a RawValue>,
}

/// Answers every line with a line, whatever it holds, until the input ends.
///
/// The output is flushed whenever no more input is waiting, so that a program may write a line and wait for its answer.
///
/// # Errors
/// The input can't be read or the output can't be written.
pub fn run(input: impl Read, output: impl Write, conformance: Conformance) -> io::Result<()> {
    let mut input = BufReader::with_capacity(1 << 16, input);
    let mut output = BufWriter::with_capacity(1 << 16, output);
    let mut line = Vec::new();
    loop {
        if input.buffer().is_empty() {
            output.flush()?;
        }
        line.clear();
        if input.read_until(b'\n', &mut line)? == 0 {
            return output.flush();
        }
        answer(&line, conformance, &mut output)?;
    }
}

fn answer(line: &[u8], conformance: Conformance, output: &mut impl Write) -> io::Result<()> {
    let mut original = None;
    let judgement = match std::str::from_utf8(line) {
        Err(error) => refused(ErrorCode::FormatViolation, Version::V2_1, format!("the line is not UTF-8: {error}")),
        // serde would take a list for the object, its items for the members in their order.
        Ok(text) if !text.trim_start().starts_with('{') => {
            refused(ErrorCode::FormatViolation, Version::V2_1, "the line is no JSON object".to_owned())
        }
        Ok(text) => match serde_json::from_str::<Line<'_>>(text) {
            Err(error) => refused(
                ErrorCode::FormatViolation,
                version_hint(text).unwrap_or(Version::V2_1),
                format!("the line is not {{\"version\",\"action\",\"type\",\"payload\"}}: {error}"),
            ),
            Ok(line) => {
                original = Some(line.payload);
                judge_line(&line, conformance)
            }
        },
    };
    // What was encoded is JSON; if it weren't, the original still is.
    let encoded = judgement.payload.as_deref().and_then(|payload| serde_json::from_str::<&RawValue>(payload).ok());
    let answer = Answer { valid: judgement.valid, findings: &judgement.findings, payload: encoded.or(original) };
    serde_json::to_writer(&mut *output, &answer)?;
    output.write_all(b"\n")
}

fn judge_line(line: &Line<'_>, conformance: Conformance) -> Judgement {
    let Some(version) = version_named(&line.version) else {
        let message = format!("the version `{}` is not known: give 1.6, 2.0.1 or 2.1", line.version);
        return refused(ErrorCode::NotSupported, Version::V2_1, message);
    };
    let kind = match &*line.kind {
        "request" => MessageKind::Request,
        "response" => MessageKind::Response,
        other => {
            let message = format!("the type `{other}` is not known: give request or response");
            return refused(ErrorCode::FormatViolation, version, message);
        }
    };
    judge(version, kind, &line.action, line.payload.get(), conformance)
}

/// The version that a line names which can't be read as a whole, so that the finding has its spelling.
fn version_hint(line: &str) -> Option<Version> {
    let (_, rest) = line.split_once("\"version\"")?;
    let name = rest.trim_start().strip_prefix(':')?.trim_start().strip_prefix('"')?;
    version_named(name.split_once('"')?.0)
}

/// The judgement on a line that holds no message.
fn refused(code: ErrorCode, version: Version, message: String) -> Judgement {
    let finding = Finding { path: String::new(), code: code.as_str(version).to_owned(), message };
    Judgement { valid: false, findings: vec![finding], payload: None }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn answers(input: &str, conformance: Conformance) -> Vec<Value> {
        let mut output = Vec::new();
        run(input.as_bytes(), &mut output, conformance).unwrap();
        String::from_utf8(output).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    #[test]
    fn every_line_gets_one_line_whatever_it_holds() {
        let input = concat!(
            r#"{"version":"1.6","action":"Heartbeat","type":"request","payload":{}}"#,
            "\n",
            "\n",
            "not json\n",
            r#"["1.6","Heartbeat","request",{}]"#,
            "\n",
            r#"{"version":"1.6","action":"Heartbeat","type":"request"}"#,
            "\n",
            r#"{"version":"1.5","action":"Heartbeat","type":"request","payload":{"kept":1}}"#,
            "\n",
            r#"{"version":"2.1","action":"Heartbeat","type":"event","payload":{}}"#,
            "\n",
            r#"{"version":"ocpp2.0.1","action":"Nonsense","type":"request","payload":{"kept":2}}"#,
            "\n",
            r#"{"version":"ocpp1.6","action":"Heartbeat","type":"request","payload":[]}"#,
            "\n",
            r#"{"version":"2.1","action":"Heartbeat","type":"request","payload":{}}"#,
        );
        let answers = answers(input, Conformance::Strict);
        assert_eq!(answers.len(), 10);
        let valid: Vec<_> = answers.iter().map(|answer| answer["valid"] == true).collect();
        assert_eq!(valid, [true, false, false, false, false, false, false, false, false, true]);
        assert!(answers.iter().filter(|answer| answer["valid"] == false).all(|answer| {
            let findings = answer["findings"].as_array().unwrap();
            findings.len() == 1 && findings[0]["code"].is_string() && findings[0]["message"].is_string()
        }));
        assert_eq!(answers[5]["payload"], json!({"kept": 1}));
        assert_eq!(answers[7]["payload"], json!({"kept": 2}));
        assert_eq!(answers[7]["findings"][0]["code"], "NotImplemented");
        assert_eq!(answers[8]["findings"][0]["code"], "FormationViolation");
        assert_eq!(answers[2]["payload"], Value::Null);
    }

    #[test]
    fn a_broken_line_is_refused_in_the_spelling_of_the_version_it_names() {
        let code = |line| answers(line, Conformance::Lenient)[0]["findings"][0]["code"].clone();
        assert_eq!(
            code(r#"{"version": "1.6","action":"Heartbeat","type":"request","payload":{"a":NaN}}"#),
            "FormationViolation"
        );
        assert_eq!(
            code(r#"{"version":"2.1","action":"Heartbeat","type":"request","payload":{"a":NaN}}"#),
            "FormatViolation"
        );
    }

    #[test]
    fn bytes_that_are_no_text_do_not_end_the_stream() {
        let mut output = Vec::new();
        run(&b"\xff\xfe{}\n{}\n"[..], &mut output, Conformance::Strict).unwrap();
        assert_eq!(output.iter().filter(|byte| **byte == b'\n').count(), 2);
    }

    #[test]
    fn an_answer_comes_before_the_next_line_is_written() {
        // A reader that gives one line at a time, and a writer that is looked at between.
        let seen = std::cell::RefCell::new(Vec::new());
        struct Shared<'a>(&'a std::cell::RefCell<Vec<u8>>);
        impl Write for Shared<'_> {
            fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
                self.0.borrow_mut().extend_from_slice(bytes);
                Ok(bytes.len())
            }
            fn flush(&mut self) -> io::Result<()> {
                Ok(())
            }
        }
        struct Lines<'a>(&'a std::cell::RefCell<Vec<u8>>, usize);
        impl Read for Lines<'_> {
            fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
                let answered = self.0.borrow().iter().filter(|byte| **byte == b'\n').count();
                assert_eq!(answered, self.1, "the line before is answered");
                if self.1 == 3 {
                    return Ok(0);
                }
                self.1 += 1;
                let line = b"{\"version\":\"2.1\",\"action\":\"Heartbeat\",\"type\":\"request\",\"payload\":{}}\n";
                buffer[..line.len()].copy_from_slice(line);
                Ok(line.len())
            }
        }
        run(Lines(&seen, 0), Shared(&seen), Conformance::Strict).unwrap();
    }

    #[test]
    fn lenient_says_valid_and_keeps_the_findings() {
        let line = r#"{"version":"2.1","action":"Heartbeat","type":"request","payload":{"vendor":{"deep":[1.50]}}}"#;
        let strict = answers(line, Conformance::Strict);
        let lenient = answers(line, Conformance::Lenient);
        assert_eq!((&strict[0]["valid"], &lenient[0]["valid"]), (&json!(false), &json!(true)));
        assert_eq!(strict[0]["findings"], lenient[0]["findings"]);
        assert_eq!(lenient[0]["findings"][0]["path"], "/vendor");
        assert_eq!(lenient[0]["payload"], json!({"vendor": {"deep": [1.50]}}));
    }
}
