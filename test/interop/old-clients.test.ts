// Apache Kafka's Java clients of former years on a Millrace broker on files: their answers are those that today's clients get from Apache Kafka.

import { describe } from 'vitest'
import { startFileBroker } from './file-broker.ts'
import { oldClients, storySettings, tellOldClients } from './java-stories.ts'
import { storyLaws } from './story-laws.ts'

describe.each(oldClients())('kafka-clients %s', version => {
  storyLaws('OldClientsStory', async () => {
    await using broker = await startFileBroker(storySettings)
    return await tellOldClients(version, broker.bootstrap)
  })
})
