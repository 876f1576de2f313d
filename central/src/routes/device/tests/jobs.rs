//! What the service does by itself, and that it stops when it is told to.

use super::kit::each;
use crate::jobs::leases;

/// A round over many terminals would hold up the end of the service until the supervisor kills it.
#[tokio::test(flavor = "multi_thread")]
async fn a_round_of_grants_ends_when_the_service_stops() {
    each(|site| async move {
        let (mut here, _there) = (site.terminal("one").await, site.terminal("two").await);
        for n in 1..=3 {
            here.check_in(&site, n);
        }
        here.send_from(&site, 1).await;
        site.app.stopping.send_replace(true);
        assert_eq!(leases::round(&site.app, None).await.expect("a round").0, 0, "nothing more is begun");
        site.app.stopping.send_replace(false);
        assert_eq!(leases::round(&site.app, None).await.expect("a round").0, 3, "each at the other terminal");
    })
    .await;
}
