//! CRC-32C by sixteen tables: sixteen bytes per step (four near the end), each looked up in the table of its distance to
//! the end of the step.

const POLYNOMIAL: u32 = 0x82f6_3b78;
const STEP: usize = 16;

static TABLES: [[u32; 256]; STEP] = tables();

const fn tables() -> [[u32; 256]; STEP] {
    let mut tables = [[0; 256]; STEP];
    let mut byte = 0;
    while byte < 256 {
        tables[0][byte] = shift_out(byte as u32);
        byte += 1;
    }
    let mut step = 1;
    while step < STEP {
        let mut byte = 0;
        while byte < 256 {
            let before = tables[step - 1][byte];
            tables[step][byte] = (before >> 8) ^ tables[0][(before & 0xff) as usize];
            byte += 1;
        }
        step += 1;
    }
    tables
}

const fn shift_out(mut register: u32) -> u32 {
    let mut bit = 0;
    while bit < 8 {
        let carry = register & 1;
        register >>= 1;
        if carry == 1 {
            register ^= POLYNOMIAL;
        }
        bit += 1;
    }
    register
}

/// The register after `data`.
pub(super) fn update(mut register: u32, data: &[u8]) -> u32 {
    let (steps, rest) = data.as_chunks::<STEP>();
    for step in steps {
        register = update_step(register, step);
    }
    let (steps, rest) = rest.as_chunks::<4>();
    for step in steps {
        register = update_step(register, step);
    }
    for byte in rest {
        register = (register >> 8) ^ TABLES[0][((register ^ u32::from(*byte)) & 0xff) as usize];
    }
    register
}

fn update_step<const N: usize>(register: u32, step: &[u8; N]) -> u32 {
    let mut mixed = *step;
    for (byte, old) in mixed.iter_mut().zip(register.to_le_bytes()) {
        *byte ^= old;
    }
    let mut out = 0;
    for (i, byte) in mixed.into_iter().enumerate() {
        out ^= TABLES[N - 1 - i][usize::from(byte)];
    }
    out
}
