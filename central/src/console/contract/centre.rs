//! Operations about the centre itself and its terminals, and about activities.

use super::super::{activities, api, cash, guests, jobs, office_day_api, office_days};
use super::{Operation, get, post};

/// Figures, terminals, cases, days, cash and jobs.
pub(super) fn centre() -> Vec<Operation> {
    vec![
        get("/api/v1/openapi.json", api::openapi, "This document.")
            .open_to_all()
            .tells("openapi info:any servers:any paths:any components:any"),
        get("/api/v1/session", api::session, "Who is signed in, and the token that changes must carry.")
            .tells("login name role token"),
        get("/api/v1/overview", api::overview, "Figures of today, and what waits.").tells(
            "day:day attended:int earned:int members:int points:int refused:int devices_used:int devices_online:int \
             devices_offline:int cases:[KindCount] unclosed:[UnclosedDay]",
        ),
        get("/api/v1/devices", api::devices, "All terminals.").tells("devices:[Device]"),
        get(
            "/api/v1/cases",
            api::cases,
            "Open cases, the oldest first, or with ended=1 those that ended, the newest first; of one kind or of each.",
        )
        .asks("kind:int ended:int sort:opened|-opened|changed|-changed cursor limit:int")
        .tells("cases:[Case] next?"),
        get("/api/v1/days", api::days, "What terminals recorded on a day, against the ledger; today by default.")
            .asks("device:id day:day")
            .tells("day:day terminals:[TerminalDay]"),
        get("/api/v1/cash", cash::api, "The daily cash report of an office, in fen.")
            .asks("office day:day")
            .tells(
                "office day:day zone as_of:time lines:[CashLine] methods:[CashMethod] terminals:[CashTerminal] \
                 complete:bool",
            ),
        get("/api/v1/jobs", jobs::list, "All jobs, whether something waits for each, and its last run.")
            .tells("jobs:[Job]"),
        get("/api/v1/jobs/{name}/dry-run", jobs::dry_run, "What a job would do now, with nothing done.")
            .tells("job would_do:int"),
        post("/api/v1/jobs/{name}/run", jobs::run, "Begins a run of a job, which goes on by itself.")
            .begins()
            .tells("job run:id"),
        get("/api/v1/jobs/{name}/runs", jobs::of_job, "Runs of a job, the newest first.")
            .asks("sort:started|-started cursor limit:int")
            .tells("runs:[Run] next?"),
        get("/api/v1/job-runs/{run}", jobs::one, "One run, with how far it is.").tells("Run"),
    ]
}

/// The close of offices' days.
pub(super) fn days() -> Vec<Operation> {
    vec![
        get(
            "/api/v1/office-days",
            office_days::api,
            "Business days of offices and how far each is signed, the newest first; the cursor is a day.",
        )
        .asks("office state:running|open|signed_once|signed|reopened cursor")
        .tells("days:[OfficeDayLine] next?:day"),
        get(
            "/api/v1/office-days/{office}/{day}",
            office_day_api::one,
            "A business day of an office, by code or id: figures, differences, and what came later. Amounts of cash in fen.",
        )
        .tells("OfficeDay"),
        post(
            "/api/v1/office-days/{office}/{day}/explain",
            office_day_api::explain,
            "Gives the reason of a difference as it stands now.",
        )
        .takes("difference!:hash reason!")
        .tells("OfficeDay"),
        post(
            "/api/v1/office-days/{office}/{day}/sign",
            office_day_api::sign,
            "Signs what was seen; the second of two people closes the day.",
        )
        .takes("seen!:hash")
        .tells("OfficeDay"),
        post(
            "/api/v1/office-days/{office}/{day}/reopen",
            office_day_api::reopen,
            "Opens a signed day again; for administrators.",
        )
        .takes("reason!")
        .tells("OfficeDay"),
    ]
}

/// Activities, and who comes to them (K25, K26, K28).
pub(super) fn activities() -> Vec<Operation> {
    vec![
        get(
            "/api/v1/activities",
            activities::list,
            "Activities, the one that was planned first in front, or last by `sort`.",
        )
        .asks("state kind sort:planned|-planned cursor limit:int")
        .tells("activities:[Activity] next?"),
        post(
            "/api/v1/activities",
            activities::plan,
            "Plans an activity, or one that there is anew; cost in fen.",
        )
        .takes(
            "activity:id name_zh! name_en kind! place programme heads:int cost:int starts! ends! \
                 every:day|week|month times:int offices:[text] places:int points:int \
                 admission:once|daily|reentry|exits companions:int yuan key listed:bool levels:[text]",
        )
        .creates()
        .tells("Activity"),
        get(
            "/api/v1/activities/{id}",
            activities::one,
            "One activity: its plan, who comes and came, what it cost.",
        )
        .tells("Activity"),
        post("/api/v1/activities/{id}/decide", activities::decide, "Approves a plan or sends it back.")
            .takes("approved!:bool reason!")
            .tells("Activity"),
        post(
            "/api/v1/activities/{id}/costs",
            activities::set_cost,
            "Writes down an item of what it cost, in fen.",
        )
        .takes("item!:int what! cost!:int occurrence:id")
        .tells("Activity"),
        post(
            "/api/v1/occurrences/{id}/end",
            activities::end,
            "Ends a holding: it takes no attendance any more.",
        )
        .takes("reason!")
        .tells("occurrence:id state"),
        get(
            "/api/v1/occurrences/{id}/guests",
            guests::list,
            "Who comes to a holding; with the first page who came through which gate.",
        )
        .asks("cursor limit:int")
        .tells("guests:[Guest] gates*:[GateHeads] next?"),
        post("/api/v1/occurrences/{id}/guests", guests::step, "Invites a member, signs them up, or cancels.")
            .takes("number! step!:invite|sign_up|cancel companions:int")
            .tells("Guest"),
    ]
}
