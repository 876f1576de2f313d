//! What a delivery that brought nothing new says of the clock of the boot that delivered.

use super::Work;
use crate::rules::entry::TakenSample;
use crate::rules::need::Need;
use crate::rules::time;

impl Work {
    /// Bounds a boot better.
    pub(super) fn sample(&mut self, taken: &TakenSample) {
        let key = (taken.device, taken.epoch, taken.sample.boot_seq);
        self.has(Need::Boot(key.0, key.1, key.2));
        if let Some(boot) = self.world.boots.get_mut(&key) {
            time::narrow(boot, taken.sample);
            self.outcome.boots.insert(key, boot.clone());
        }
    }
}
