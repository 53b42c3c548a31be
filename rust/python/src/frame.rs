//! Where the call stands: the caller's code object and instruction.
//!
//! The pair identifies a call site for as long as the code object lives. The documented way materialises
//! a frame object, which costs more than the rest of the call; so on interpreters whose layout is known
//! the frame is read where it lies, after both ways have agreed once at import.
#![allow(unsafe_code)]

use std::sync::atomic::{AtomicBool, Ordering};

use pyo3::ffi;

/// A call site: code object (borrowed from the running frame) and a number for the instruction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    pub code: *mut ffi::PyObject,
    pub instruction: usize,
}

static FAST: AtomicBool = AtomicBool::new(false);

/// The caller's place; `None` when no Python code is running.
///
/// # Safety
/// The GIL is held.
#[inline]
pub unsafe fn place() -> Option<Place> {
    // SAFETY: the caller holds the GIL.
    unsafe {
        if FAST.load(Ordering::Relaxed) {
            layout::place()
        } else {
            documented_place()
        }
    }
}

/// # Safety
/// The GIL is held.
unsafe fn documented_place() -> Option<Place> {
    // SAFETY: `PyThreadState_GetFrame` and `PyFrame_GetCode` give strong references, released here; the
    // frame on the stack keeps the code alive.
    unsafe {
        let frame = ffi::PyThreadState_GetFrame(ffi::PyThreadState_Get());
        if frame.is_null() {
            return None;
        }
        let code = ffi::PyFrame_GetCode(frame);
        let instruction = ffi::PyFrame_GetLasti(frame);
        ffi::Py_DECREF(code.cast());
        ffi::Py_DECREF(frame.cast());
        Some(Place { code: code.cast(), instruction: usize::try_from(instruction).unwrap_or(0) })
    }
}

/// Turns the fast road on if it finds what the documented one finds. Called at import.
///
/// # Safety
/// The GIL is held.
pub unsafe fn choose() -> bool {
    // SAFETY: the caller holds the GIL.
    let agrees = unsafe {
        match (layout::place(), documented_place()) {
            (Some(fast), Some(slow)) => {
                fast.code == slow.code && layout::offset(fast) == Some(slow.instruction)
            }
            _ => false,
        }
    };
    FAST.store(agrees, Ordering::Relaxed);
    agrees
}

/// Both ways, for the test that compares them: whether they agree here and now.
///
/// # Safety
/// The GIL is held.
pub unsafe fn agree() -> Option<bool> {
    if !FAST.load(Ordering::Relaxed) {
        return None;
    }
    // SAFETY: the caller holds the GIL.
    unsafe {
        let (fast, slow) = (layout::place()?, documented_place()?);
        Some(fast.code == slow.code && layout::offset(fast) == Some(slow.instruction))
    }
}

/// `CPython` 3.11: `Include/cpython/pystate.h`, `Include/internal/pycore_frame.h`, `Include/cpython/code.h`.
#[cfg(all(Py_3_11, not(Py_3_12)))]
mod layout {
    use std::ffi::{c_int, c_void};

    use pyo3::ffi;

    use super::Place;

    #[repr(C)]
    struct ThreadState {
        previous: *mut c_void,
        next: *mut c_void,
        interpreter: *mut c_void,
        initialized: c_int,
        is_static: c_int,
        recursion_remaining: c_int,
        recursion_limit: c_int,
        recursion_headroom: c_int,
        tracing: c_int,
        tracing_what: c_int,
        cframe: *mut CFrame,
    }

    #[repr(C)]
    struct CFrame {
        use_tracing: u8,
        current_frame: *mut Frame,
    }

    #[repr(C)]
    #[allow(clippy::struct_field_names)] // CPython's words
    struct Frame {
        function: *mut c_void,
        globals: *mut c_void,
        builtins: *mut c_void,
        locals: *mut c_void,
        code: *mut ffi::PyObject,
        frame_object: *mut c_void,
        previous: *mut Frame,
        previous_instruction: *mut u16,
    }

    /// # Safety
    /// The GIL is held, on an interpreter of this version.
    #[inline]
    pub unsafe fn place() -> Option<Place> {
        // SAFETY: the layouts are this version's; all pointers belong to the running thread.
        unsafe {
            let state = ffi::PyThreadState_Get().cast::<ThreadState>();
            let frame = (*(*state).cframe).current_frame;
            if frame.is_null() {
                return None;
            }
            let frame = &*frame;
            Some(Place { code: frame.code, instruction: frame.previous_instruction as usize })
        }
    }

    /// The instruction as the documented API counts it: bytes from the beginning of the code.
    ///
    /// # Safety
    /// As `place`.
    pub unsafe fn offset(place: Place) -> Option<usize> {
        // The code units follow the fixed part of a code object, whose size the type tells.
        // SAFETY: a static of the interpreter, only read.
        let fixed = unsafe { ffi::PyCode_Type.tp_basicsize };
        place.instruction.checked_sub(place.code as usize + usize::try_from(fixed).ok()?)
    }
}

/// Interpreters whose layout nobody here has verified take the documented road.
#[cfg(not(all(Py_3_11, not(Py_3_12))))]
mod layout {
    use super::Place;

    pub unsafe fn place() -> Option<Place> {
        None
    }

    pub unsafe fn offset(_: Place) -> Option<usize> {
        None
    }
}
