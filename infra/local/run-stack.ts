/** `npm run stack`: the stack in the foreground, until Ctrl-C. `--json` prints its description for programs, as one line. */
import { rmSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { Command } from 'commander';
import { stackDescriptionFile } from './paths.ts';
import { runWithStack } from './run-with-stack.ts';
import type { Stack } from './stack.ts';

const options = new Command('npm run stack --')
  .description('Starts MongoDB, Neo4j and LocalStack, deploys the functions, and stays until Ctrl-C.')
  .option('--json', 'print the description of the stack as one line of JSON')
  .option('--members <count>', 'members of the MongoDB replica set', '3')
  .parse()
  .opts<{ json?: true; members: string }>();

await runWithStack({
  mongodbMembers: Number(options.members),
  keep: true,
  run: async (stack) => {
    await writeFile(stackDescriptionFile, `${JSON.stringify(stack.description, null, 2)}\n`);
    process.on('exit', () => rmSync(stackDescriptionFile, { force: true }));
    process.stdout.write(options.json ? `${JSON.stringify(stack.description)}\n` : describe(stack));
    return 0;
  },
});

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
