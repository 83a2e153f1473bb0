// XXH64 without a seed: the checksum of zstd's frames.

const prime1 = 0x9e3779b185ebca87n
const prime2 = 0xc2b2ae3d27d4eb4fn
const prime3 = 0x165667b19e3779f9n
const prime4 = 0x85ebca77c2b2ae63n
const prime5 = 0x27d4eb2f165667c5n

export function xxhash64(bytes: Buffer): bigint {
  let hash = word((bytes.length < 32 ? prime5 : hashOfStripes(bytes)) + BigInt(bytes.length))
  let position = bytes.length - (bytes.length % 32)
  for (; position + 8 <= bytes.length; position += 8) hash = word(rotated(hash ^ mixed(0n, bytes.readBigUInt64LE(position)), 27n) * prime1 + prime4)
  if (position + 4 <= bytes.length) {
    hash = word(rotated(hash ^ word(BigInt(bytes.readUInt32LE(position)) * prime1), 23n) * prime2 + prime3)
    position += 4
  }
  for (; position < bytes.length; position++) hash = word(rotated(hash ^ word(BigInt(bytes[position]!) * prime5), 11n) * prime1)
  hash = word((hash ^ (hash >> 33n)) * prime2)
  hash = word((hash ^ (hash >> 29n)) * prime3)
  return hash ^ (hash >> 32n)
}

/** Four hashes, each of every fourth eight bytes, and one of them all; the last bytes that are less than 32 are left out. */
function hashOfStripes(bytes: Buffer): bigint {
  const parts = [word(prime1 + prime2), prime2, 0n, word(-prime1)] as const
  const [a, b, c, d] = parts.map((start, part) => {
    let hash = start
    for (let position = 8 * part; position + 32 - 8 * part <= bytes.length; position += 32) hash = mixed(hash, bytes.readBigUInt64LE(position))
    return hash
  }) as [bigint, bigint, bigint, bigint]
  const sum = word(rotated(a, 1n) + rotated(b, 7n) + rotated(c, 12n) + rotated(d, 18n))
  return [a, b, c, d].reduce((hash, part) => word((hash ^ mixed(0n, part)) * prime1 + prime4), sum)
}

function mixed(hash: bigint, input: bigint): bigint {
  return word(rotated(word(hash + input * prime2), 31n) * prime1)
}

function rotated(value: bigint, bits: bigint): bigint {
  return word((value << bits) | (value >> (64n - bits)))
}

function word(value: bigint): bigint {
  return BigInt.asUintN(64, value)
}
