//! Lines that begin with a time, in the forms of common programs.

use std::sync::LazyLock;

use regex::{Captures, Regex};

use super::times::{fraction, iso, month, year_of, Parts, Zone};
use super::{plain, Foreign};
use crate::level;

/// A form: how it looks, and what its parts mean.
struct Form {
    looks: Option<Regex>,
    read: fn(&Captures<'_>, Zone) -> Option<Foreign>,
}

static FORMS: LazyLock<Vec<Form>> = LazyLock::new(|| {
    let form = |looks: &str, read| Form { looks: Regex::new(looks).ok(), read };
    vec![
        // 081109 203615 148 INFO dfs.DataNode$PacketResponder: text
        form(r"^(\d\d)(\d\d)(\d\d) (\d\d)(\d\d)(\d\d) (\d+) ([A-Z]+) ([^:]+): (.*)$", hdfs),
        // 17/06/09 20:10:40 INFO executor.Executor: text
        form(r"^(\d\d)/(\d\d)/(\d\d) (\d\d):(\d\d):(\d\d) ([A-Z]+) ([^:]+): (.*)$", spark),
        // [Sun Dec 04 04:47:44 2005] [notice] text, also with microseconds, pid and client
        form(
            r"^\[[A-Z][a-z]{2} ([A-Z][a-z]{2}) +(\d+) (\d\d):(\d\d):(\d\d)(?:\.(\d+))? (\d{4})\] \[(?:[a-z_0-9]+:)?(\w+)\] (.*)$",
            apache_error,
        ),
        // 127.0.0.1 - user [10/Oct/2000:13:55:36 -0700] "GET / HTTP/1.0" 200 2326 …
        form(
            r#"^(\S+) \S+ (\S+) \[(\d\d)/([A-Z][a-z]{2})/(\d{4}):(\d\d):(\d\d):(\d\d) ([+-]\d{4})\] "(.*?)" (\d{3}) (\d+|-)(.*)$"#,
            access,
        ),
        // I0102 15:04:05.123456 7 file.go:1] text
        form(r"^([IWEFD])(\d\d)(\d\d) (\d\d):(\d\d):(\d\d)\.(\d+) +(\d+) ([^\]]+)\] (.*)$", glog),
        // I (1234) TAG: text
        form(r"^([VDIWE]) \((\d+)\) ([^:]+): (.*)$", esp_idf),
        // nova-api.log.1.2017-05-16_13:53:08 2017-05-16 00:00:00.008 25746 INFO nova.osapi [req-…] text
        form(
            r"^(?:\S+ )?(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d+) (\d+) ([A-Z]+) (\S+) (.*)$",
            openstack,
        ),
        // [2026-11-21 10:30:45] [INFO    ] auth: text
        form(
            r"^\[(\d{4}-\d\d-\d\d[ T][^\]]+)\] \[(\w+) *\] (?:\[?([\w.:-]+?)\]?:? )?(.*)$",
            bracketed,
        ),
        // 2024-01-15 10:30:45,123 - name - LEVEL - text, in either order
        form(r"^(\d{4}-\d\d-\d\d[ T]\S+) - (\S+) - (\S+) - (.*)$", dashed),
        // 2015-10-18 18:01:47,978 INFO [main] org.apache.X: text; … - INFO  [thread:Class@12] - text
        form(
            r"^(\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d[.,]\d+)(?: -)? +([A-Z]+) +\[(.*?)\](?: -)? *(?:([\w.$]+): )?(.*)$",
            log4j,
        ),
        // anything that begins with an ISO time
        form(
            r"^\[?(\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d(?:[.,]\d+)?(?:Z|[+-]\d\d:?\d\d)?)\]?[ \t:|-]*(.*)$",
            iso_prefix,
        ),
    ]
});

pub fn recognise(line: &str, zone: Zone) -> Option<Foreign> {
    FORMS.iter().find_map(|form| {
        let found = form.looks.as_ref()?.captures(line)?;
        (form.read)(&found, zone)
    })
}

fn number(found: &Captures<'_>, at: usize) -> Option<u64> {
    found.get(at)?.as_str().parse().ok()
}

fn text(found: &Captures<'_>, at: usize) -> String {
    found.get(at).map_or_else(String::new, |part| part.as_str().to_owned())
}

/// Year, month, day, hour, minute and second from six groups in a row.
fn six(found: &Captures<'_>, from: usize, zone: Zone) -> Option<u64> {
    let parts = Parts {
        year: 2000 + number(found, from)?,
        month: number(found, from + 1)?,
        day: number(found, from + 2)?,
        hour: number(found, from + 3)?,
        minute: number(found, from + 4)?,
        second: number(found, from + 5)?,
        nanoseconds: 0,
    };
    parts.timestamp_ns(zone)
}

fn hdfs(found: &Captures<'_>, zone: Zone) -> Option<Foreign> {
    let mut foreign = Foreign {
        timestamp_ns: Some(six(found, 1, zone)?),
        level: plain::level_word(&found[8]),
        component: Some(text(found, 9)),
        message: text(found, 10),
        ..Foreign::default()
    };
    foreign.metadata.insert("thread".into(), number(found, 7)?.into());
    Some(foreign)
}

fn spark(found: &Captures<'_>, zone: Zone) -> Option<Foreign> {
    Some(Foreign {
        timestamp_ns: Some(six(found, 1, zone)?),
        level: plain::level_word(&found[7]),
        component: Some(text(found, 8)),
        message: text(found, 9),
        ..Foreign::default()
    })
}

fn apache_error(found: &Captures<'_>, zone: Zone) -> Option<Foreign> {
    let parts = Parts {
        year: number(found, 7)?,
        month: month(&found[1])?,
        day: number(found, 2)?,
        hour: number(found, 3)?,
        minute: number(found, 4)?,
        second: number(found, 5)?,
        nanoseconds: fraction(&text(found, 6)),
    };
    Some(Foreign {
        timestamp_ns: parts.timestamp_ns(zone),
        level: plain::level_word(&found[8]),
        message: text(found, 9),
        ..Foreign::default()
    })
}

fn access(found: &Captures<'_>, _: Zone) -> Option<Foreign> {
    let zone = text(found, 9);
    let date = format!("{}-{:02}-{}", &found[5], month(&found[4])?, &found[3]);
    let time = format!("{date}T{}:{}:{}{zone}", &found[6], &found[7], &found[8]);
    let status = number(found, 11)?;
    let mut foreign = Foreign {
        timestamp_ns: iso(&time, Zone::Utc),
        level: Some(match status {
            500.. => level::ERROR,
            400.. => level::WARNING,
            _ => level::INFO,
        }),
        message: text(found, 10),
        ..Foreign::default()
    };
    foreign.metadata.insert("client".into(), text(found, 1).into());
    if &found[2] != "-" {
        foreign.metadata.insert("user".into(), text(found, 2).into());
    }
    foreign.metadata.insert("status".into(), status.into());
    foreign.metadata.insert("bytes".into(), number(found, 12).unwrap_or(0).into());
    let rest = text(found, 13);
    if !rest.trim().is_empty() {
        foreign.metadata.insert("rest".into(), rest.trim().into());
    }
    Some(foreign)
}

fn glog(found: &Captures<'_>, zone: Zone) -> Option<Foreign> {
    let (month, day) = (number(found, 2)?, number(found, 3)?);
    let parts = Parts {
        year: year_of(month, day),
        month,
        day,
        hour: number(found, 4)?,
        minute: number(found, 5)?,
        second: number(found, 6)?,
        nanoseconds: fraction(&found[7]),
    };
    Some(Foreign {
        timestamp_ns: Some(parts.timestamp_ns(zone)?),
        level: letter(&found[1]),
        component: Some(text(found, 9)),
        process: number(found, 8),
        message: text(found, 10),
        ..Foreign::default()
    })
}

fn letter(word: &str) -> Option<level::Level> {
    Some(match word {
        "V" => level::TRACE,
        "D" => level::DEBUG,
        "I" => level::INFO,
        "W" => level::WARNING,
        "E" => level::ERROR,
        _ => level::CRITICAL,
    })
}

fn esp_idf(found: &Captures<'_>, _: Zone) -> Option<Foreign> {
    let mut foreign = Foreign {
        level: letter(&found[1]),
        component: Some(text(found, 3)),
        message: text(found, 4),
        ..Foreign::default()
    };
    foreign.metadata.insert("uptime_ms".into(), number(found, 2)?.into());
    Some(foreign)
}

fn openstack(found: &Captures<'_>, zone: Zone) -> Option<Foreign> {
    Some(Foreign {
        timestamp_ns: Some(iso(&found[1], zone)?),
        level: Some(plain::level_word(&found[3])?),
        component: Some(text(found, 4)),
        process: number(found, 2),
        message: text(found, 5),
        ..Foreign::default()
    })
}

fn bracketed(found: &Captures<'_>, zone: Zone) -> Option<Foreign> {
    Some(Foreign {
        timestamp_ns: Some(iso(&found[1], zone)?),
        level: Some(plain::level_word(&found[2])?),
        component: found.get(3).map(|name| name.as_str().to_owned()),
        message: text(found, 4),
        ..Foreign::default()
    })
}

fn dashed(found: &Captures<'_>, zone: Zone) -> Option<Foreign> {
    let (name, level) = match (plain::level_word(&found[3]), plain::level_word(&found[2])) {
        (Some(level), _) => (text(found, 2), level),
        (None, Some(level)) => (text(found, 3), level),
        (None, None) => return None,
    };
    let mut foreign = Foreign {
        timestamp_ns: Some(iso(&found[1], zone)?),
        level: Some(level),
        component: Some(name),
        message: text(found, 4),
        ..Foreign::default()
    };
    // … - LEVEL - module:line - function - text
    let place = found[3].rsplit_once(':').zip(found[4].split_once(" - "));
    if let Some(((module, line), (function, message))) = place {
        let is_name = |char: char| char.is_alphanumeric() || "_<>.".contains(char);
        if let (Ok(line), true) = (line.parse(), function.chars().all(is_name)) {
            foreign.component = Some(module.to_owned());
            foreign.module.clone_from(&foreign.component);
            (foreign.function, foreign.line) = (Some(function.to_owned()), Some(line));
            message.clone_into(&mut foreign.message);
        }
    }
    Some(foreign)
}

fn log4j(found: &Captures<'_>, zone: Zone) -> Option<Foreign> {
    let mut foreign = Foreign {
        timestamp_ns: Some(iso(&found[1], zone)?),
        level: Some(plain::level_word(&found[2])?),
        component: found.get(4).map(|name| name.as_str().to_owned()),
        message: text(found, 5),
        ..Foreign::default()
    };
    foreign.metadata.insert("thread".into(), text(found, 3).into());
    Some(foreign)
}

fn iso_prefix(found: &Captures<'_>, zone: Zone) -> Option<Foreign> {
    let (level, message) = plain::leading_level(found.get(2)?.as_str());
    Some(Foreign {
        timestamp_ns: Some(iso(&found[1], zone)?),
        level,
        message: message.to_owned(),
        ..Foreign::default()
    })
}
