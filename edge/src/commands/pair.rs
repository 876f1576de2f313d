//! `pair`: has the member display show a code for a tablet, lists paired tablets, unpairs one.

use hufu_shared::time::Instant;
use serde_json::Value;

use super::Failure;
use super::ask::ask;
use super::exit::Exit;
use crate::config::Config;
use crate::counter::tablets::grouped;
use crate::locale::{Args, text, text_with};
use crate::run::control::Ask;

/// What to do with tablets.
#[derive(Debug, clap::Args)]
pub(super) struct PairArguments {
    /// List the paired tablets instead
    #[arg(long, conflicts_with = "revoke")]
    list: bool,
    /// Unpair the tablet of this number instead
    #[arg(long, value_name = "NUMBER")]
    revoke: Option<u64>,
    /// For scripts
    #[arg(long)]
    json: bool,
}

pub(super) fn run(config: &Config, arguments: &PairArguments) -> Result<(), Failure> {
    let what = match arguments.revoke {
        Some(n) => Ask::Unpair(n),
        None if arguments.list => Ask::Tablets,
        None => Ask::Pair,
    };
    let answer = ask(config, what)?;
    if arguments.json {
        println!("{answer}");
        return Ok(());
    }
    let language = config.terminal.language;
    let say = |key: &str, args: &Args| println!("{}", text_with(language, key, args));
    let word =
        |value: &Value, name: &str| value.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
    let time = |value: &Value, name: &str| {
        let at = Instant(value.get(name).and_then(Value::as_i64).unwrap_or_default());
        at.display(chrono_tz::Asia::Shanghai)
    };
    match what {
        Ask::Unpair(n) => {
            let known = answer.as_bool().unwrap_or(false);
            let key = if known { "command-pair-revoked" } else { "command-pair-unknown" };
            say(key, &Args::from([("n", n.to_string())]));
            if !known {
                return Err(Failure::new(Exit::Other, anyhow::anyhow!("no tablet has the number {n}")));
            }
        }
        Ask::Tablets => {
            let tablets = answer.as_array().map(Vec::as_slice).unwrap_or_default();
            if tablets.is_empty() {
                println!("{}", text(language, "command-pair-none"));
            }
            for tablet in tablets {
                let n = tablet.get("n").and_then(Value::as_u64).unwrap_or_default().to_string();
                let args = Args::from([
                    ("n", n),
                    ("name", word(tablet, "name")),
                    ("since", time(tablet, "paired_at")),
                    ("seen", time(tablet, "seen_at")),
                ]);
                say("command-pair-tablet", &args);
            }
        }
        _ => {
            let code = grouped(&word(&answer, "code"));
            say("command-pair-code", &Args::from([("code", code)]));
            say("command-pair-until", &Args::from([("time", time(&answer, "until"))]));
            say("command-pair-address", &Args::from([("address", word(&answer, "address"))]));
            say("command-pair-fingerprint", &Args::from([("fingerprint", word(&answer, "fingerprint"))]));
        }
    }
    Ok(())
}
