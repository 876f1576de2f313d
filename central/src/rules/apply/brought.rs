//! What was brought over from another system, and the record of lists that were taken out.
//!
//! An opening is a posting like any other, so it runs out, is spent and is taken back like any other. A transaction of
//! the other system is a line to be shown and nothing else: what it came to stands in the opening.

use hufu_shared::act::{BalancesOpened, DataExported, HistoryBrought};

use super::Work;
use super::ledger::{Cause, Flow};
use crate::rules::outcome::{Exported, Opened, Past};
use crate::rules::posting::{self, Account, PostingCode};

impl Work {
    /// Posts what members had. The same opening taken again posts nothing: it has one cause.
    pub(super) fn balances_opened(&mut self, opened: &BalancesOpened) {
        for row in &opened.rows {
            let hash = posting::opening_cause(&opened.batch, row.member, row.leg.unit, row.at);
            let at = row.at.unwrap_or(self.received);
            let day = self.day(row.office, at);
            let flow = Flow {
                debit: Account::Issuer(row.office),
                credit: Account::Available(row.member),
                leg: row.leg,
                code: PostingCode::Opening,
            };
            self.settle(&Cause::of_the_centre(hash, Some(row.member), (at, day)), &[flow]);
            let (batch, reason) = (opened.batch.clone(), opened.reason);
            let member = row.member;
            self.outcome.openings.insert(hash, Opened { batch, member, leg: row.leg, at, reason });
        }
    }

    /// Keeps lines of another system; nothing of who was erased meanwhile.
    pub(super) fn history_brought(&mut self, brought: &HistoryBrought) {
        for line in &brought.lines {
            if self.member(line.member).is_some_and(|known| !known.erased) {
                self.outcome.past.insert(line.id, Past { batch: brought.batch.clone(), line: line.clone() });
            }
        }
    }

    /// Puts a list that was taken out on record.
    pub(super) fn data_exported(&mut self, exported: &DataExported) {
        let by = self.by_name();
        self.outcome.exported = Some(Exported { by, exported: exported.clone() });
    }
}
