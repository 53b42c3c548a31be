//! Records as OpenTelemetry has them.

use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::PyBytes;
use treering_core::format;

/// See the core's `otlp_logs`.
#[pyfunction]
pub fn otlp_logs<'py>(
    py: Python<'py>,
    data: &[u8],
    resource: &[u8],
    scope: &[u8],
) -> PyResult<Bound<'py, PyBytes>> {
    let request = py.detach(|| format::otlp_logs(data, resource, scope));
    request
        .map(|request| PyBytes::new(py, &request))
        .ok_or_else(|| PyValueError::new_err("resource and scope are JSON objects"))
}
