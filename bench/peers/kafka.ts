/** Kafka with one broker, and Kafka Connect with Debezium's connector for MongoDB. */
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { mkdir, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import path from 'node:path';
import { type BackgroundProcess, startInBackground } from '../../tools/local/children.ts';
import { freePort } from '../../tools/local/free-port.ts';
import { install } from '../../tools/local/install.ts';
import { installJava } from '../../tools/local/java.ts';
import { downloadJars } from '../../tools/local/maven.ts';
import { printStep } from '../../tools/local/progress.ts';
import { runCommand } from '../../tools/local/run-command.ts';
import { waitForStart } from '../../tools/local/wait-for-start.ts';
import { databaseOf, type PeerName, symbolsCollection } from './symbols.ts';

const versions = { kafka: '3.9.2', debezium: '3.6.1.Final' };

/** Debezium 3 needs it: https://debezium.io/releases/3.6/ */
const oldestJava = 17;

/** The heaps that Kafka's own start scripts set. */
const heaps = { broker: ['-Xms1g', '-Xmx1g'], connect: ['-Xms256m', '-Xmx2g'] };

/** Starts the broker or Connect, and waits until it answers. Both keep their place on the disk. */
export interface Kafka {
  readonly broker: string;
  readonly startBroker: () => Promise<BackgroundProcess>;
  readonly startConnect: () => Promise<BackgroundProcess>;
}

/** Installs both, and makes their data folder. */
export async function prepareKafka(folder: string, peer: PeerName, mongodbUri: string): Promise<Kafka> {
  const signal = new AbortController().signal;
  const java = await installJava(oldestJava, printStep, signal);
  const jars = await install(
    {
      name: `kafka-${versions.kafka}-debezium-${versions.debezium}`,
      title: `Downloading Kafka ${versions.kafka} and Debezium ${versions.debezium} (61 MB)`,
      fill: async (target, logFile) => {
        await downloadJars({
          pom: path.join(import.meta.dirname, 'pom.xml'),
          properties: { 'kafka.version': versions.kafka, 'debezium.version': versions.debezium },
          folder: target,
          logFile,
          onFailure: 'The download of Kafka and Debezium failed: Maven must reach its repository.',
          signal,
        });
      },
    },
    printStep,
  );
  await mkdir(folder, { recursive: true });
  const [port, controllerPort, restPort] = [await freePort(), await freePort(), await freePort()];
  const broker = `127.0.0.1:${port}`;
  const file = (name: string) => path.join(folder, name);
  await writeFile(file('log4j.properties'), logging);
  await writeFile(file('broker.properties'), brokerSettings(port, controllerPort, file('data')));
  await writeFile(file('connect.properties'), connectSettings(broker, restPort, file('offsets')));
  await writeFile(file('connector.properties'), connectorSettings(peer, mongodbUri));
  const javaArgs = (heap: readonly string[], main: string, ...args: readonly string[]) => [
    ...heap,
    `-Dlog4j.configuration=file:${file('log4j.properties')}`,
    ...['-cp', path.join(jars, 'lib/*'), main, ...args],
  ];
  const cluster = Buffer.from(randomUUID().replaceAll('-', ''), 'hex').toString('base64url');
  await runCommand({
    command: java.command,
    args: javaArgs([], 'kafka.tools.StorageTool', 'format', '-t', cluster, '-c', file('broker.properties')),
    cwd: folder,
    logFile: file('format.log'),
    onFailure: 'Kafka could not prepare its data folder:',
    signal,
  });
  const start = async (name: string, listensOn: number, args: readonly string[]) => {
    const logFile = file(`${name}.log`);
    const server = startInBackground({ name, command: java.command, args, cwd: folder, logFile });
    await waitForStart(() => connects(listensOn), { process: server, logFile, pollMillis: 100 });
    return server;
  };
  return {
    broker,
    startBroker: () => start('Kafka', port, javaArgs(heaps.broker, 'kafka.Kafka', file('broker.properties'))),
    startConnect: () =>
      start(
        'Connect',
        restPort,
        javaArgs(
          heaps.connect,
          'org.apache.kafka.connect.cli.ConnectStandalone',
          file('connect.properties'),
          file('connector.properties'),
        ),
      ),
  };
}

async function connects(port: number): Promise<true> {
  const socket = connect(port, '127.0.0.1');
  try {
    await once(socket, 'connect');
    return true;
  } finally {
    socket.destroy();
  }
}

const logging = `log4j.rootLogger=WARN, out
log4j.appender.out=org.apache.log4j.ConsoleAppender
log4j.appender.out.layout=org.apache.log4j.PatternLayout
log4j.appender.out.layout.ConversionPattern=%d %p %c: %m%n
`;

const brokerSettings = (port: number, controllerPort: number, data: string) => `process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:${controllerPort}
listeners=PLAINTEXT://127.0.0.1:${port},CONTROLLER://127.0.0.1:${controllerPort}
advertised.listeners=PLAINTEXT://127.0.0.1:${port}
controller.listener.names=CONTROLLER
log.dirs=${data}
offsets.topic.replication.factor=1
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
group.initial.rebalance.delay.ms=0
`;

const connectSettings = (broker: string, restPort: number, offsets: string) => `bootstrap.servers=${broker}
listeners=http://127.0.0.1:${restPort}
key.converter=org.apache.kafka.connect.json.JsonConverter
key.converter.schemas.enable=false
value.converter=org.apache.kafka.connect.json.JsonConverter
value.converter.schemas.enable=false
offset.storage.file.filename=${offsets}
offset.flush.interval.ms=1000
`;

/**
 * The default interval between two polls, 500 ms, would only add to the lag.
 *
 * https://debezium.io/documentation/reference/stable/connectors/mongodb.html#mongodb-connector-properties
 */
const connectorSettings = (peer: PeerName, mongodbUri: string) => `name=symbols
connector.class=io.debezium.connector.mongodb.MongoDbConnector
mongodb.connection.string=${mongodbUri}
topic.prefix=${peer}
collection.include.list=${databaseOf(peer)}.${symbolsCollection}
capture.mode=change_streams_update_full
poll.interval.ms=10
tombstones.on.delete=false
`;
