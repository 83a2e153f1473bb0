// Answers by topic and partition where a request names a topic more than once, put together as Apache Kafka does it.

/** A name, or from some version on an id. */
export interface AnsweredTopic<P> {
  readonly name: string
  readonly topicId?: string
  readonly partitions: readonly P[]
}

/**
 * Partitions that are refused before the group is asked come first, those of a topic at one place; what the group answers joins them.
 * Where nothing was refused so, the group's answers stand as they were asked. `isEarly` by the places of topic and partition in `topics`.
 */
export function gatheredTopics<P>(topics: readonly AnsweredTopic<P>[], isEarly: (at: number, index: number) => boolean): readonly AnsweredTopic<P>[] {
  const parts = (early: boolean): readonly AnsweredTopic<P>[] =>
    topics.flatMap((topic, at) => {
      const partitions = topic.partitions.filter((_, index) => isEarly(at, index) === early)
      return partitions.length > 0 || (early && topic.partitions.length === 0) ? [{ ...topic, partitions }] : []
    })
  const early = parts(true)
  return early.length === 0 ? topics : merged([...early, ...parts(false)])
}

function merged<P>(topics: readonly AnsweredTopic<P>[]): readonly AnsweredTopic<P>[] {
  const gathered = new Map<string, AnsweredTopic<P>>()
  for (const topic of topics) {
    const key = JSON.stringify([topic.name, topic.topicId])
    const known = gathered.get(key)
    gathered.set(key, known === undefined ? topic : { ...known, partitions: [...known.partitions, ...topic.partitions] })
  }
  return [...gathered.values()]
}
