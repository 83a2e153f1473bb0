// Kafka's default partitioner: murmur2 of the key's bytes, so that every Kafka client puts a key where we do.

/** 32-bit murmur2 with Kafka's seed 0x9747b28c, as a signed integer, over `bytes[start, end)`. */
export function murmur2(bytes: Uint8Array, start = 0, end: number = bytes.length): number {
  const m = 0x5bd1e995
  const length = end - start
  let h = 0x9747b28c ^ length
  const blocksEnd = start + (length & ~3)
  for (let i = start; i < blocksEnd; i += 4) {
    let k = bytes[i]! | (bytes[i + 1]! << 8) | (bytes[i + 2]! << 16) | (bytes[i + 3]! << 24)
    k = Math.imul(k, m)
    k ^= k >>> 24
    h = Math.imul(h, m) ^ Math.imul(k, m)
  }
  const rest = length & 3
  if (rest === 3) h ^= bytes[blocksEnd + 2]! << 16
  if (rest >= 2) h ^= bytes[blocksEnd + 1]! << 8
  if (rest >= 1) h = Math.imul(h ^ bytes[blocksEnd]!, m)
  h ^= h >>> 13
  h = Math.imul(h, m)
  return h ^ (h >>> 15)
}

/** The partition Kafka's producers choose for a key. */
export function partitionOf(key: Uint8Array, partitions: number): number {
  return (murmur2(key) & 0x7fffffff) % partitions
}
