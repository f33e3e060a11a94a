//! What a request is on, read from its bytes before anybody else reads it.

/// The text at the end of a path of fields in a message of the wire, if it is there; the last one
/// where a field is said twice, as protobuf has it. At most so many characters of it are given, and
/// none that could break a line.
pub fn subject(message: &[u8], path: &[u32]) -> Option<String> {
    const LONGEST: usize = 128;
    let mut found = message;
    for &number in path {
        found = last(found, number)?;
    }
    let text = std::str::from_utf8(found).ok().filter(|_| !path.is_empty())?;
    Some(text.chars().filter(|c| !c.is_control()).take(LONGEST).collect())
}

/// The bytes of the last field of a number that has a length.
fn last(mut message: &[u8], number: u32) -> Option<&[u8]> {
    let mut found = None;
    while !message.is_empty() {
        let key = varint(&mut message)?;
        match key & 7 {
            0 => {
                varint(&mut message)?;
            }
            1 => message = message.get(8..)?,
            2 => {
                let length = usize::try_from(varint(&mut message)?).ok()?;
                let (value, rest) = message.split_at_checked(length)?;
                message = rest;
                if key >> 3 == u64::from(number) {
                    found = Some(value);
                }
            }
            5 => message = message.get(4..)?,
            _ => return None,
        }
    }
    found
}

fn varint(bytes: &mut &[u8]) -> Option<u64> {
    let mut value = 0;
    for shift in (0..64).step_by(7) {
        let (&byte, rest) = bytes.split_first()?;
        *bytes = rest;
        value |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Some(value);
        }
    }
    None
}
