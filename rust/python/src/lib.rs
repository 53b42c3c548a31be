//! The module `treering._core`: registration only.

use pyo3::prelude::*;

mod errors;
mod journal;

#[pymodule]
fn _core(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<journal::Reader>()?;
    module.add_class::<journal::Drain>()?;
    module.add_function(wrap_pyfunction!(journal::recover, module)?)?;
    module.add_function(wrap_pyfunction!(journal::journal_status, module)?)?;
    module.add_function(wrap_pyfunction!(journal::journal_levels, module)?)?;
    module.add_function(wrap_pyfunction!(journal::set_journal_level, module)?)?;
    module.add("__version__", env!("CARGO_PKG_VERSION"))
}
