// How an internal topic is called where no application id is known: with its kind behind its name.

export function topicName(repartition: string): string {
  return `…-${repartition}-repartition`
}
