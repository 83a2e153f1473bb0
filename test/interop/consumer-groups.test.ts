// Apache Kafka's Java consumer with group.protocol=consumer (KIP-848) on a Millrace broker on files: every answer is the one that Apache Kafka gives.

import { storyLaws, tellStoriesToFileBroker } from './story-laws.ts'

storyLaws('ConsumerGroupsStory', () => tellStoriesToFileBroker('ConsumerGroupsStory'))
