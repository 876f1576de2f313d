//! What the drivers share about buses: how one is opened, and an I2C bus that remembers its last error.

use embedded_hal::i2c::{Error as _, ErrorKind, ErrorType, I2c, Operation};

use super::device::DeviceError;

/// Opens what a driver needs; called again after each failure, when the device may have another state.
pub type Open<T> = Box<dyn FnMut() -> Result<T, DeviceError> + Send>;

/// An I2C bus that remembers why it failed: the drivers of displays throw that away.
#[derive(Debug)]
pub(super) struct Watched<B> {
    bus: B,
    failed: Option<ErrorKind>,
}

impl<B> Watched<B> {
    pub(super) fn new(bus: B) -> Self {
        Self { bus, failed: None }
    }

    /// What went wrong in a step.
    pub(super) fn error(&self, step: &'static str) -> DeviceError {
        let detail = match self.failed {
            Some(ErrorKind::NoAcknowledge(_)) => {
                "no answer; is it connected, is the address right?".to_owned()
            }
            Some(kind) => kind.to_string(),
            None => "refused by its driver".to_owned(),
        };
        DeviceError::Bus { step, detail }
    }
}

impl<B: ErrorType> ErrorType for Watched<B> {
    type Error = B::Error;
}

impl<B: I2c> I2c for Watched<B> {
    fn transaction(&mut self, address: u8, operations: &mut [Operation<'_>]) -> Result<(), B::Error> {
        let done = self.bus.transaction(address, operations);
        done.inspect_err(|error| self.failed = Some(error.kind()))
    }
}
