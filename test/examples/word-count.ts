// What the word count example must print, computed in a plain loop over the file.

export function countWords(text: string): ReadonlyMap<string, number> {
  const counts = new Map<string, number>()
  for (const word of text.toLowerCase().split(/[^\p{L}\p{N}']+/u)) if (word !== '') counts.set(word, (counts.get(word) ?? 0) + 1)
  return counts
}
