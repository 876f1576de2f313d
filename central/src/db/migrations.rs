//! The list of migrations, oldest first. Add at the end; a released one is never changed.

use super::Migration;

/// All migrations, numbered from 1 without gaps.
pub const MIGRATIONS: &[Migration] = &[
    Migration { number: 1, name: "core", text: include_str!("../../sql/both/migrations/0001_core.sql") },
    Migration { number: 2, name: "vault", text: include_str!("../../sql/both/migrations/0002_vault.sql") },
    Migration {
        number: 3,
        name: "contact",
        text: include_str!("../../sql/both/migrations/0003_contact.sql"),
    },
    Migration { number: 4, name: "device", text: include_str!("../../sql/both/migrations/0004_device.sql") },
    Migration {
        number: 5,
        name: "joining",
        text: include_str!("../../sql/both/migrations/0005_joining.sql"),
    },
    Migration {
        number: 6,
        name: "members",
        text: include_str!("../../sql/both/migrations/0006_members.sql"),
    },
    Migration { number: 7, name: "stock", text: include_str!("../../sql/both/migrations/0007_stock.sql") },
    Migration {
        number: 8,
        name: "activities",
        text: include_str!("../../sql/both/migrations/0008_activities.sql"),
    },
    Migration {
        number: 9,
        name: "value_and_jobs",
        text: include_str!("../../sql/both/migrations/0009_value_and_jobs.sql"),
    },
    Migration {
        number: 10,
        name: "brought",
        text: include_str!("../../sql/both/migrations/0010_brought.sql"),
    },
    Migration { number: 11, name: "points", text: include_str!("../../sql/both/migrations/0011_points.sql") },
    Migration { number: 12, name: "levels", text: include_str!("../../sql/both/migrations/0012_levels.sql") },
    Migration {
        number: 13,
        name: "companions",
        text: include_str!("../../sql/both/migrations/0013_companions.sql"),
    },
    Migration {
        number: 14,
        name: "api_requests",
        text: include_str!("../../sql/both/migrations/0014_api_requests.sql"),
    },
    Migration {
        number: 15,
        name: "levels_given",
        text: include_str!("../../sql/both/migrations/0015_levels_given.sql"),
    },
    Migration { number: 16, name: "told", text: include_str!("../../sql/both/migrations/0016_told.sql") },
    Migration {
        number: 17,
        name: "rankings",
        text: include_str!("../../sql/both/migrations/0017_rankings.sql"),
    },
    Migration {
        number: 18,
        name: "catalogue",
        text: include_str!("../../sql/both/migrations/0018_catalogue.sql"),
    },
    Migration {
        number: 19,
        name: "birthdays",
        text: include_str!("../../sql/both/migrations/0019_birthdays.sql"),
    },
    Migration { number: 20, name: "orders", text: include_str!("../../sql/both/migrations/0020_orders.sql") },
    Migration {
        number: 21,
        name: "refused",
        text: include_str!("../../sql/both/migrations/0021_refused.sql"),
    },
    Migration { number: 22, name: "scope", text: include_str!("../../sql/both/migrations/0022_scope.sql") },
    Migration {
        number: 23,
        name: "office_days",
        text: include_str!("../../sql/both/migrations/0023_office_days.sql"),
    },
    Migration {
        number: 24,
        name: "stand_ins",
        text: include_str!("../../sql/both/migrations/0024_stand_ins.sql"),
    },
    Migration {
        number: 25,
        name: "reports",
        text: include_str!("../../sql/both/migrations/0025_reports.sql"),
    },
    Migration { number: 26, name: "inbox", text: include_str!("../../sql/both/migrations/0026_inbox.sql") },
    Migration { number: 27, name: "watch", text: include_str!("../../sql/both/migrations/0027_watch.sql") },
    Migration {
        number: 28,
        name: "records",
        text: include_str!("../../sql/both/migrations/0028_records.sql"),
    },
    Migration {
        number: 29,
        name: "exchange",
        text: include_str!("../../sql/both/migrations/0029_exchange.sql"),
    },
    Migration {
        number: 30,
        name: "lookups",
        text: include_str!("../../sql/both/migrations/0030_lookups.sql"),
    },
];
