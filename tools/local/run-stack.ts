/**
 * `npm run stack`: runs the stack, or only its databases, in the foreground until Ctrl-C. `--json`
 * prints a description for programs, as one line.
 */
import { rmSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { Command } from 'commander';
import { stackDescriptionFile } from './paths.ts';
import { runWithServers, runWithStack } from './run-with-stack.ts';
import { startServers } from './servers.ts';
import { describeServers, type ServersDescription, type Stack } from './stack.ts';

const options = new Command('npm run stack --')
  .description('Start MongoDB, Neo4j and LocalStack, deploy the functions, and run until Ctrl-C.')
  .option('--json', 'print the description as one line of JSON')
  .option('--databases', 'start MongoDB and Neo4j only, for `npx outgraph worker`')
  .option('--members <count>', 'members of the MongoDB replica set', '3')
  .parse()
  .opts<{ json?: true; databases?: true; members: string }>();

const mongodbMembers = Number(options.members);

if (options.databases) {
  await runWithServers({
    start: (signal) => startServers({ wanted: ['mongodb', 'neo4j'], mongodbMembers, signal }),
    keep: true,
    run: async (servers) => {
      const { awsEndpointUrl: _, awsRegion: __, ...description } = describeServers(servers);
      await print(description, describeDatabases(description));
      return 0;
    },
  });
} else {
  await runWithStack({
    mongodbMembers,
    keep: true,
    run: async (stack) => {
      await print(stack.description, describe(stack));
      return 0;
    },
  });
}

/** Prints the description, and keeps it in a file while this process is running. */
async function print(description: object, text: string): Promise<void> {
  await writeFile(stackDescriptionFile, `${JSON.stringify(description, null, 2)}\n`);
  process.on('exit', () => rmSync(stackDescriptionFile, { force: true }));
  process.stdout.write(options.json ? `${JSON.stringify(description)}\n` : text);
}

type DatabasesDescription = Omit<ServersDescription, 'awsEndpointUrl' | 'awsRegion'>;

function describeDatabases({ mongodbUri, neo4jUri, neo4jUsername }: DatabasesDescription): string {
  const access = neo4jUsername === null ? '' : ' NEO4J_USERNAME=… NEO4J_PASSWORD=…';
  return `
The databases are ready. For another terminal:

  export MONGODB_URI='${mongodbUri}'
  export NEO4J_URI='${neo4jUri}'${access}

The same, for programs: ${stackDescriptionFile}
`;
}

function describe({ description, logsFolder }: Stack): string {
  return `
The stack is ready.

  MongoDB     ${description.mongodbUri}
              database ${description.mongodbDatabase}, collection outbox
  Neo4j       ${description.neo4jUri}${description.neo4jUsername === null ? '  (no authentication)' : ''}
  AWS         ${description.awsEndpointUrl}  (LocalStack, region ${description.awsRegion})
  functions   ${Object.values(description.functions).join(', ')}
  logs        ${logsFolder}

The same, for programs: ${stackDescriptionFile}
`;
}
