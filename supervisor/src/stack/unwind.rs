//! From frame to frame, by what the unwind tables say of each function.

use brigade_shared::sys::trace::{ADDRESS_BITS, Captured, FRAME_POINTER, Registers, STACK_POINTER};
use gimli::{CfaRule, EvaluationResult, Location, Register, RegisterRule, UnwindExpression};
use nix::unistd::Pid;

use super::image::{Frames, Image, Row};
use super::library::Library;

/// No more frames than this are looked at.
const DEEPEST: usize = 256;
const WORD: u64 = 8;
/// The registers that matter on the way out.
const COUNT: u16 = 32;

/// A function on the stack.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Frame {
    /// An address within the call or the instruction at which it is.
    pub(super) address: u64,
}

/// A thread at some frame.
struct Cursor<'a> {
    pc: u64,
    registers: [Option<u64>; COUNT as usize],
    captured: &'a Captured,
    base: u64,
}

/// The frames of what was captured, from the innermost out. It ends where nothing is known of a
/// function, and where the stack does not grow as it should.
pub(super) fn frames(pid: Pid, captured: &Captured, library: &mut Library) -> Vec<Frame> {
    let mut cursor = Cursor::at(captured);
    let mut frames = Vec::new();
    // The innermost frame is at an instruction; the others are behind a call, which may be the last
    // instruction of its function.
    let mut is_at_instruction = true;
    while frames.len() < DEEPEST && cursor.pc != 0 {
        let address = cursor.pc - u64::from(!is_at_instruction);
        frames.push(Frame { address });
        let before = cursor.stack_pointer();
        let step = match library.find(pid, address) {
            Some((image, at)) => cursor.leave(image, at),
            None => None,
        };
        let step = step.or_else(|| cursor.follow_frame_pointer());
        let Some(is_signal) = step else { break };
        is_at_instruction = is_signal;
        // Only the innermost function may have nothing on the stack (aarch64).
        let (Some(before), Some(after)) = (before, cursor.stack_pointer()) else {
            break;
        };
        if after < before || (after == before && frames.len() > 1) {
            break;
        }
    }
    frames
}

impl<'a> Cursor<'a> {
    fn at(captured: &'a Captured) -> Self {
        let Registers { pc, .. } = captured.registers;
        let mut registers = [None; COUNT as usize];
        for (number, register) in (0..COUNT).zip(&mut registers) {
            *register = captured.registers.get(number);
        }
        let base = captured.registers.get(STACK_POINTER).unwrap_or(0);
        Self {
            pc,
            registers,
            captured,
            base,
        }
    }

    fn stack_pointer(&self) -> Option<u64> {
        self.get(Register(STACK_POINTER))
    }

    fn get(&self, register: Register) -> Option<u64> {
        self.registers
            .get(usize::from(register.0))
            .copied()
            .flatten()
    }

    /// A word of the stack.
    fn word(&self, address: u64) -> Option<u64> {
        let at = usize::try_from(address.checked_sub(self.base)?).ok()?;
        let bytes = self.captured.stack.get(at..at.checked_add(8)?)?;
        bytes.try_into().ok().map(u64::from_ne_bytes)
    }

    /// Goes to the caller by the table; tells whether this was the frame of a signal.
    fn leave(&mut self, image: &Image, address: u64) -> Option<bool> {
        let (row, is_signal, returns) = image.row(address)?;
        let frames = image.frames();
        let cfa = match row.cfa() {
            CfaRule::RegisterAndOffset { register, offset } => {
                self.get(*register)?.checked_add_signed(*offset)?
            }
            CfaRule::Expression(expression) => self.evaluate(&frames, expression, None)?,
        };
        // What a function does not mention, it has left alone. The return address of the outermost
        // function is said to be undefined.
        let mut registers = self.registers;
        for (number, register) in (0..COUNT).zip(&mut registers) {
            *register = self.value(&frames, &row, Register(number), cfa);
        }
        let pc = registers.get(usize::from(returns.0)).copied().flatten()?;
        if !self.mentions_stack_pointer(&row) {
            registers[usize::from(STACK_POINTER)] = Some(cfa);
        }
        self.pc = pc & ADDRESS_BITS;
        self.registers = registers;
        Some(is_signal)
    }

    fn mentions_stack_pointer(&self, row: &Row) -> bool {
        row.registers()
            .any(|(register, _)| register.0 == STACK_POINTER)
    }

    fn value(&self, frames: &Frames<'_>, row: &Row, register: Register, cfa: u64) -> Option<u64> {
        let rule = row.registers().find(|(known, _)| *known == register);
        let Some((_, rule)) = rule else {
            return self.get(register);
        };
        match rule {
            RegisterRule::SameValue => self.get(register),
            RegisterRule::Offset(offset) => self.word(cfa.checked_add_signed(*offset)?),
            RegisterRule::ValOffset(offset) => cfa.checked_add_signed(*offset),
            RegisterRule::Register(other) => self.get(*other),
            RegisterRule::Expression(expression) => {
                self.word(self.evaluate(frames, expression, Some(cfa))?)
            }
            RegisterRule::ValExpression(expression) => self.evaluate(frames, expression, Some(cfa)),
            RegisterRule::Constant(value) => Some(*value),
            _ => None,
        }
    }

    /// Computes an address; libraries use it for their jump tables and for frames of signals.
    fn evaluate(
        &self,
        frames: &Frames<'_>,
        expression: &UnwindExpression<usize>,
        initial: Option<u64>,
    ) -> Option<u64> {
        let encoding = gimli::Encoding {
            address_size: 8,
            format: gimli::Format::Dwarf32,
            version: 4,
        };
        let mut evaluation = expression.get(frames).ok()?.evaluation(encoding);
        evaluation.set_max_iterations(1000);
        if let Some(value) = initial {
            evaluation.set_initial_value(value);
        }
        let mut state = evaluation.evaluate().ok()?;
        loop {
            state = match state {
                EvaluationResult::Complete => break,
                EvaluationResult::RequiresRegister { register, .. } => {
                    let value = gimli::Value::Generic(self.get(register)?);
                    evaluation.resume_with_register(value).ok()?
                }
                EvaluationResult::RequiresMemory { address, .. } => {
                    let value = gimli::Value::Generic(self.word(address)?);
                    evaluation.resume_with_memory(value).ok()?
                }
                _ => return None,
            };
        }
        match evaluation.as_result().first()?.location {
            Location::Address { address } => Some(address),
            _ => None,
        }
    }

    /// The frame of a function without a table, if it keeps a frame pointer: code made at run time.
    fn follow_frame_pointer(&mut self) -> Option<bool> {
        let frame = self.get(Register(FRAME_POINTER))?;
        if frame < self.stack_pointer()? {
            return None;
        }
        let (outer, pc) = (self.word(frame)?, self.word(frame.checked_add(WORD)?)?);
        self.pc = pc & ADDRESS_BITS;
        self.registers[usize::from(FRAME_POINTER)] = Some(outer);
        self.registers[usize::from(STACK_POINTER)] = Some(frame + 2 * WORD);
        Some(false)
    }
}
