// The table of README with the broker settings whose defaults are not Apache Kafka's; made from the settings' own documentation.

import { brokerConfigs } from '../broker/kernel/broker-config.ts'

/** As Markdown. A setting says so itself: its documentation ends with `Kafka: ` and Kafka's default. */
export function differingDefaultsTable(): string {
  const rows = [...brokerConfigs.values()].flatMap(({ name, default: ours, documentation }) => {
    const match = /^(.*) Kafka: (.+)\.$/.exec(documentation)
    return match === null ? [] : [`| \`${name}\` | ${match[2]} | ${ours === null || ours === '' ? 'none' : ours} | ${match[1]} |`]
  })
  return ['| setting | Apache Kafka | Millrace | means |', '| --- | --- | --- | --- |', ...rows].join('\n')
}
