//! Metrics in the text format of Prometheus, for people.
//!
//! One recorder serves the whole process; gauges that nobody counts are read when they are asked for.

use super::caller::Operator;
use super::problems::problems;
use crate::app::App;
use crate::error::Error;
use axum::extract::State;
use axum::http::{HeaderName, header};
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};
use std::sync::{Arc, OnceLock};

problems! {
    /// A question for metrics.
    Reading: InvalidKey, Forbidden, Internal
}

const CONTENT_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// Starts counting. Later calls find the recorder of the first; `None` if somebody else installed one.
pub fn install() -> Option<&'static PrometheusHandle> {
    static HANDLE: OnceLock<Option<PrometheusHandle>> = OnceLock::new();
    HANDLE.get_or_init(|| PrometheusBuilder::new().install_recorder().ok()).as_ref()
}

/// Metrics of this process.
#[utoipa::path(get, path = "/metrics", operation_id = "getMetrics", tag = "health",
    responses((status = 200, description = "Prometheus text", body = String, content_type = "text/plain"), Reading),
    security(("adminToken" = [])))]
pub async fn get_metrics(
    _: Operator,
    State(app): State<Arc<App>>,
) -> Result<([(HeaderName, &'static str); 1], String), Error> {
    let handle = install().ok_or_else(|| Error::internal("another metrics recorder is installed"))?;
    for workspace in app.workspaces() {
        let size = workspace.published.head.load().size;
        let lag = size.saturating_sub(*workspace.projected.borrow());
        let name = workspace.name.clone();
        metrics::gauge!("runplane_ledger_entries", "workspace" => name.clone()).set(wide(size));
        metrics::gauge!("runplane_projection_lag_entries", "workspace" => name).set(wide(lag));
    }
    handle.run_upkeep();
    Ok(([(header::CONTENT_TYPE, CONTENT_TYPE)], handle.render()))
}

/// Counts above 2^53 lose their last digits here, and nowhere else.
#[allow(clippy::cast_precision_loss)]
fn wide(count: u64) -> f64 {
    count as f64
}
