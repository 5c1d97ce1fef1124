import { expect, it } from 'vitest';
import { z } from 'zod';
import { defineAggregate, documentId, endpoint, relationship } from '../../../exports/outgraph.ts';
import { diffSubgraph, expectSubgraph, graphOfDocuments, projectDocument } from '../../../exports/testing.ts';

const person = defineAggregate({
  type: 'person',
  collection: 'people',
  id: documentId,
  payload: z.object({ age: z.number(), friends: z.array(z.string()).default([]) }),
  declares: { labels: { Person: ['id'], City: ['name'] } as Record<string, string[]>, types: ['KNOWS', 'IN'] },
  project: ({ age, friends }, id) => {
    const node = endpoint(age < 0 ? 'Ghost' : 'Person', { id });
    const city = endpoint('City', { name: 'Turin' });
    return {
      nodes: [
        { ...node, properties: { age } },
        { ...city, shared: true },
      ],
      relationships: [
        relationship('IN', node, city, { shared: true }),
        ...friends.map((friend) => relationship('KNOWS', node, endpoint('Person', { id: friend }), { key: 'k' })),
      ],
    };
  },
});
const ada = { _id: 'ada', age: 36, friends: ['bob'] };
const [adaNode, bob] = [endpoint('Person', { id: 'ada' }), endpoint('Person', { id: 'bob' })];
const city = endpoint('City', { name: 'Turin' });
const expected = {
  nodes: [
    { ...city, shared: true },
    { ...adaNode, properties: { age: 36 } },
  ],
  relationships: [
    relationship('KNOWS', adaNode, bob, { key: 'k' }),
    relationship('IN', adaNode, city, { shared: true }),
  ],
};

it('a subgraph equals the expected one in any order', () => {
  expect(diffSubgraph(projectDocument(person, ada), expected)).toBe('');
  expectSubgraph(projectDocument(person, ada), expected);
});

it('differences are named, also of type, key and sharing', () => {
  const other = {
    nodes: [{ ...adaNode, properties: { age: 37 } }, city],
    relationships: [relationship('KNOWS', adaNode, bob), relationship('IN', adaNode, city, { shared: true })],
  };
  expect(() => expectSubgraph(projectDocument(person, { ...ada, age: 36.5 }), other)).toThrow(
    [
      'The subgraph differs (- missing, + not expected):',
      '- (Person {age: 37, id: "ada"})',
      '- (City {name: "Turin"})',
      '- (Person {id: "ada"})-[KNOWS {}]->(Person {id: "bob"})',
      '+ (Person {age: float 36.5, id: "ada"})',
      '+ (City {name: "Turin"}) shared',
      '+ (Person {id: "ada"})-[KNOWS {}]->(Person {id: "bob"}) key "k"',
    ].join('\n'),
  );
});

it('a document that a write would refuse is refused', () => {
  expect(() => projectDocument(person, { _id: 'ada' })).toThrow(expect.objectContaining({ code: 'payload-invalid' }));
  const ghost = { ...ada, age: -1 };
  expect(() => projectDocument(person, ghost)).toThrow(expect.objectContaining({ code: 'label-not-declared' }));
});

it('in the graph of several documents, shared elements and ends exist once', () => {
  const { nodes, relationships } = graphOfDocuments([
    { definition: person, document: ada },
    { definition: person, document: { _id: 'bob', age: 40 } },
  ]);
  expect([...nodes].sort()).toStrictEqual([
    '(City {name: "Turin"}) #1',
    '(Person {age: 36, id: "ada"}) #1',
    '(Person {age: 40, id: "bob"}) #1',
  ]);
  expect(relationships.size).toBe(3);
});
