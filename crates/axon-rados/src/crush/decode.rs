//! Reading a CRUSH map.
//!
//! ```text
//! le32 magic | le32 buckets | le32 rules | le32 devices | bucket[] | rule[]
//! names of types | names of items | names of rules                     what follows may end between any two of these:
//! le32 local tries, local fallback tries, total tries | le32 descend once | u8 vary r | u8 straw version
//! le32 allowed algorithms | u8 stable | classes | choose args | le32 msr descents, collision tries
//! ```
//!
//! Ceph: `CrushWrapper::decode` in `src/crush/CrushWrapper.cc`.

use super::bucket::{Drawing, Straw2};
use super::choose_args::ChooseArg;
use super::{Bucket, ChooseArgs, CrushError, CrushMap, Item, Rule, RuleKind, Step, Tunables};
use crate::msg::read_map;
use axon_denc::{DecodeError, Decoder};
use std::collections::BTreeMap;

const MAGIC: u32 = 0x0001_0000;
/// A bucket that is not there: its algorithm, 0.
const MIN_BUCKET: usize = 4;
/// A rule that is not there: 0.
const MIN_RULE: usize = 4;
/// A step: code and two arguments.
const STEP: usize = 12;
/// A key and the length of a text.
const MIN_NAME: usize = 8;
/// A key and a number.
const PAIR: usize = 8;
/// The only hash there is (`CRUSH_HASH_RJENKINS1`).
const HASH_RJENKINS1: u8 = 0;

impl CrushMap {
    /// Reads a map, as it stands in OSD maps and `ceph osd getcrushmap` writes it.
    ///
    /// # Errors
    /// When the bytes are cut or make no sense, or a bucket contains itself.
    pub fn decode(bytes: &[u8]) -> Result<Self, CrushError> {
        let input = &mut Decoder::new(bytes);
        let magic = input.u32()?;
        if magic != MAGIC {
            return Err(undefined("CRUSH magic", magic).into());
        }
        let buckets = input.u32()?;
        let rules = input.u32()?;
        input.u32()?; // one more than the highest device; counted anew below, as Ceph does
        let mut map = Self {
            buckets: read_slots(input, buckets, MIN_BUCKET, read_bucket)?,
            rules: read_slots(input, rules, MIN_RULE, read_rule)?,
            ..Self::default()
        };
        map.check_ids()?;
        map.check_cycles()?;
        map.max_devices = map.count_devices();
        map.read_names(input)?;
        map.tunables = read_tunables(input)?;
        if !input.is_empty() {
            map.read_classes(input)?;
        }
        if !input.is_empty() {
            map.choose_args = read_map(input, 12, |input| Ok((input.i64()?, read_choose_args(input)?)))?;
            map.check_choose_args()?;
        }
        if !input.is_empty() {
            map.tunables.msr_descents = input.u32()?;
            map.tunables.msr_collision_tries = input.u32()?;
        }
        Ok(map)
    }

    fn read_names(&mut self, input: &mut Decoder<'_>) -> Result<(), DecodeError> {
        self.type_names = read_map(input, MIN_NAME, |input| read_name(input, "name of a CRUSH type"))?;
        self.item_names = read_map(input, MIN_NAME, |input| read_name(input, "name of a CRUSH item"))?;
        self.rule_names = read_map(input, MIN_NAME, |input| read_name(input, "name of a CRUSH rule"))?;
        Ok(())
    }

    fn read_classes(&mut self, input: &mut Decoder<'_>) -> Result<(), DecodeError> {
        self.device_classes = read_pairs(input)?;
        self.class_names =
            read_map(input, MIN_NAME, |input| Ok((input.i32()?, input.string("device class")?)))?;
        self.shadows = read_map(input, PAIR, |input| Ok((input.i32()?, read_pairs(input)?)))?;
        Ok(())
    }

    fn check_ids(&self) -> Result<(), CrushError> {
        let wrong = self.numbered().find(|(expected, bucket)| bucket.id != *expected);
        wrong.map_or(Ok(()), |(expected, bucket)| Err(CrushError::WrongId { expected, found: bucket.id }))
    }

    /// The buckets and the ids their places give them.
    fn numbered(&self) -> impl Iterator<Item = (Item, &Bucket)> {
        let slots = (0..).zip(&self.buckets);
        slots.filter_map(|(index, slot): (i32, _)| Some((-1 - index, slot.as_deref()?)))
    }

    fn count_devices(&self) -> u32 {
        let items = self.buckets().flat_map(|bucket| &bucket.items);
        items.filter_map(|item| u32::try_from(*item).ok()).max().map_or(0, |device| device + 1)
    }

    /// Takes away, again and again, buckets that contain no others; what then remains is on a circle or leads to one.
    fn check_cycles(&self) -> Result<(), CrushError> {
        let children = |bucket: &Bucket| {
            let below = bucket.items.iter().filter_map(|item| self.bucket(*item));
            below.map(|child| child.index() as usize).collect::<Vec<_>>()
        };
        let mut parents = vec![Vec::new(); self.buckets.len()];
        let mut waiting = vec![0u32; self.buckets.len()];
        let mut done = Vec::new();
        for bucket in self.buckets() {
            let children = children(bucket);
            let index = bucket.index();
            waiting[index as usize] = children.len() as u32;
            if children.is_empty() {
                done.push(index);
            }
            children.into_iter().for_each(|child| parents[child].push(index));
        }
        while let Some(index) = done.pop() {
            for parent in &parents[index as usize] {
                let waiting = &mut waiting[*parent as usize];
                *waiting -= 1;
                if *waiting == 0 {
                    done.push(*parent);
                }
            }
        }
        let stuck = self.buckets().find(|bucket| waiting[bucket.index() as usize] > 0);
        stuck.map_or(Ok(()), |bucket| Err(CrushError::Cycle(bucket.id)))
    }

    fn check_choose_args(&self) -> Result<(), CrushError> {
        for (index, arg) in self.choose_args.values().flat_map(|args| &args.buckets) {
            let slot = self.buckets.get(*index as usize).and_then(Option::as_deref);
            let expected = slot.map_or(0, |bucket| bucket.items.len());
            let ids = Some(arg.ids.len()).filter(|found| *found != 0);
            let counts = arg.weights.iter().map(Straw2::len).chain(ids);
            if let Some(found) = counts.into_iter().find(|found| *found != expected) {
                let bucket = -1i32.wrapping_sub_unsigned(*index);
                return Err(CrushError::WrongChooseArgs { bucket, expected, found });
            }
        }
        Ok(())
    }
}

/// Reads `n` things each of which may be missing.
fn read_slots<T>(
    input: &mut Decoder<'_>,
    n: u32,
    min_size: usize,
    mut read: impl FnMut(&mut Decoder<'_>, u32) -> Result<Option<T>, DecodeError>,
) -> Result<Vec<Option<T>>, DecodeError> {
    let needed = (n as usize).saturating_mul(min_size);
    if needed > input.remaining() {
        return Err(DecodeError::Truncated { needed, left: input.remaining() });
    }
    (0..n).map(|index| read(input, index)).collect()
}

/// ```text
/// le32 algorithm, 0 for no bucket
/// le32 id | le16 type | u8 algorithm | u8 hash | le32 weight | le32 n | le32 item[n] | what the algorithm needs
/// ```
fn read_bucket(input: &mut Decoder<'_>, _index: u32) -> Result<Option<Box<Bucket>>, DecodeError> {
    if input.u32()? == 0 {
        return Ok(None);
    }
    let (id, kind) = (input.i32()?, input.u16()?);
    let (algorithm, hash) = (input.u8()?, input.u8()?);
    if hash != HASH_RJENKINS1 {
        return Err(undefined("CRUSH hash", hash.into()));
    }
    let weight = input.u32()?;
    let items: Vec<Item> = input.list(4)?;
    let drawing = read_drawing(input, algorithm, items.len())?;
    Ok(Some(Box::new(Bucket { id, kind, weight, items, drawing })))
}

fn read_drawing(input: &mut Decoder<'_>, algorithm: u8, n: usize) -> Result<Drawing, DecodeError> {
    match algorithm {
        1 => input.u32().map(|_| Drawing::Uniform),
        2 => read_two(input, n).map(|(weights, sums)| Drawing::List { weights, sums }),
        3 => read_tree(input),
        4 => read_two(input, n).map(|(_, straws)| Drawing::Straw { straws }),
        5 => read_words(input, n).map(|weights| Drawing::Straw2(Straw2::new(weights))),
        other => Err(undefined("CRUSH algorithm", other.into())),
    }
}

/// Two words for each of `n` items.
fn read_two(input: &mut Decoder<'_>, n: usize) -> Result<(Vec<u32>, Vec<u32>), DecodeError> {
    (0..n).map(|_| Ok((input.u32()?, input.u32()?))).collect()
}

fn read_tree(input: &mut Decoder<'_>) -> Result<Drawing, DecodeError> {
    let n = input.u8()?;
    read_words(input, n.into()).map(|nodes| Drawing::Tree { nodes })
}

fn read_words(input: &mut Decoder<'_>, n: usize) -> Result<Vec<u32>, DecodeError> {
    (0..n).map(|_| input.u32()).collect()
}

/// ```text
/// le32 0 for no rule
/// le32 n | u8 its own number | u8 kind | u8 least size | u8 largest size | { le32 code | le32 argument | le32 argument }[n]
/// ```
fn read_rule(input: &mut Decoder<'_>, index: u32) -> Result<Option<Rule>, DecodeError> {
    if input.u32()? == 0 {
        return Ok(None);
    }
    let n = input.u32()? as usize;
    let [number, kind, least, largest] = input.array()?;
    if u32::from(number) != index {
        return Err(undefined("number of a CRUSH rule", number.into()));
    }
    let needed = n.saturating_mul(STEP);
    if needed > input.remaining() {
        return Err(DecodeError::Truncated { needed, left: input.remaining() });
    }
    let steps = (0..n).map(|_| Ok(Step::from_wire(input.u32()?, input.i32()?, input.i32()?)));
    let steps = steps.collect::<Result<_, DecodeError>>()?;
    Ok(Some(Rule { kind: RuleKind::from_wire(kind), sizes: least..=largest, steps }))
}

/// A key and a text. Old encoders wrote keys of 8 bytes; names are never empty, so the length tells.
fn read_name(input: &mut Decoder<'_>, what: &'static str) -> Result<(i32, String), DecodeError> {
    let key = input.i32()?;
    if input.rest().starts_with(&[0; 4]) {
        input.u32()?;
    }
    Ok((key, input.string(what)?))
}

fn read_pairs(input: &mut Decoder<'_>) -> Result<BTreeMap<i32, i32>, DecodeError> {
    read_map(input, PAIR, |input| Ok((input.i32()?, input.i32()?)))
}

fn read_tunables(input: &mut Decoder<'_>) -> Result<Tunables, DecodeError> {
    let mut tunables = Tunables::LEGACY;
    if input.is_empty() {
        return Ok(tunables);
    }
    tunables.choose_local_tries = input.u32()?;
    tunables.choose_local_fallback_tries = input.u32()?;
    tunables.choose_total_tries = input.u32()?;
    read_if_any(input, &mut tunables.chooseleaf_descend_once, |input| Ok(input.u32()? != 0))?;
    read_if_any(input, &mut tunables.chooseleaf_vary_r, Decoder::u8)?;
    read_if_any(input, &mut tunables.straw_calc_version, Decoder::u8)?;
    read_if_any(input, &mut tunables.allowed_bucket_algs, Decoder::u32)?;
    read_if_any(input, &mut tunables.chooseleaf_stable, Decoder::bool)?;
    Ok(tunables)
}

/// Reads a field unless the map is too old to have it.
fn read_if_any<'a, T>(
    input: &mut Decoder<'a>,
    field: &mut T,
    read: impl FnOnce(&mut Decoder<'a>) -> Result<T, DecodeError>,
) -> Result<(), DecodeError> {
    if !input.is_empty() {
        *field = read(input)?;
    }
    Ok(())
}

/// ```text
/// le32 n | { le32 index of the bucket | le32 positions | { le32 n | le32 weight[n] }[positions] | le32 n | le32 id[n] }[n]
/// ```
fn read_choose_args(input: &mut Decoder<'_>) -> Result<ChooseArgs, DecodeError> {
    let buckets = read_map(input, 12, |input| {
        let index = input.u32()?;
        let positions = input.count(4)?;
        let weights = (0..positions).map(|_| Ok(Straw2::new(input.list(4)?)));
        Ok((index, ChooseArg { weights: weights.collect::<Result<_, _>>()?, ids: input.list(4)? }))
    })?;
    Ok(ChooseArgs { buckets })
}

fn undefined(what: &'static str, value: u32) -> DecodeError {
    DecodeError::Undefined { what, value: value.into() }
}
