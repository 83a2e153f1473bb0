// Apache Kafka's own Java clients on a Millrace broker on files: every answer is the one that Apache Kafka gives.

import { describe } from 'vitest'
import { storyLaws, tellStoriesToFileBroker } from './story-laws.ts'

describe('producer and consumer', () => {
  storyLaws('ClientsStory', () => tellStoriesToFileBroker('ClientsStory'))
})
