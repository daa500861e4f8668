/** Whether a job can be run again, by what its row and its log say: for the advice of jobs:show, jobs:why and doctor. */
import type {PhpArray} from '../../php/value.ts';
import type {Job, JobDetails} from '../model/job.ts';
import {retriedJob} from '../model/own-notes.ts';
import {classOfJob} from './job-class.ts';
import {loggedParameters} from './logged-parameters.ts';
import {type ClassFacts, factsOf, namedFiles, whereByName} from './second-run.ts';

/** What the log says a job was started with, or why jobs:retry refuses it. */
export type LoggedStart =
  | {parameters: PhpArray; text: string; jobClass: string; facts: ClassFacts}
  | {refused: string};

/** The class and the parameters of a job, from its name and its log. */
export function loggedStart(job: Pick<Job, 'id' | 'name' | 'notes'>, log: string): LoggedStart {
  const {id, name, notes} = job;
  const logged = loggedParameters(log, job);
  if ('missing' in logged) {
    // A retry that never ran has no log, but the job that it repeats has one.
    const oldId = retriedJob(notes);
    const instead = `${logged.missing} ${startElsewhere(name, new Map())}`;
    return {refused: oldId === null ? instead : neverRan(id, oldId)};
  }
  const {parameters, text} = logged;
  const jobClass = classOfJob(name, parameters);
  if (jobClass === null)
    return {
      refused: `The name and the parameters of job ${id} do not show its class. ${startElsewhere(name, parameters)}`,
    };
  return {parameters, text, jobClass, facts: factsOf(jobClass)};
}

function neverRan(id: number, oldId: number): string {
  return `Job ${id} is a retry that never ran. To run it: ${retryCommand(oldId)}`;
}

/** What to do if atomctl cannot start the job: where it is started. */
function startElsewhere(name: string, parameters: PhpArray): string {
  const jobClass = classOfJob(name, parameters);
  return `Start it again ${jobClass === null ? whereByName(name) : factsOf(jobClass).where}.`;
}

/** Why a retry needs --force, as jobs:retry says it. */
export function onlyByForce(id: number, consequence: string): string {
  return `${consequence} To run it again anyway: ${retryCommand(id)} --force`;
}

function retryCommand(id: number): string {
  return `atomctl jobs:retry ${id}`;
}

/** How to run a job again: a command that is not refused for what the row and the log say, otherwise what to do instead. */
export type RunAgain = {command: string} | {instead: string};

/** @param job which has ended or is lost. Its files, its object, its user and the workers are left to jobs:retry. */
export function runAgain(job: Pick<JobDetails, 'id' | 'name' | 'notes' | 'log'>): RunAgain {
  const {id, notes, log} = job;
  const start = loggedStart(job, log);
  if ('refused' in start) {
    const oldId = log === '' ? retriedJob(notes) : null;
    return oldId === null ? {instead: start.refused} : {command: retryCommand(oldId)};
  }
  const {parameters, facts} = start;
  const files = namedFiles(facts, parameters);
  if (files === null) return {instead: fileNotNamed(job, parameters)};
  const {harmful, text} = facts.run(parameters);
  if (!harmful) return {command: retryCommand(id)};
  const instead =
    files.length === 0
      ? onlyByForce(id, text)
      : `${text} ${retryCommand(id)} says whether its ${files.length === 1 ? 'file is' : 'files are'} still there.`;
  return {instead};
}

/** Why it is refused if its parameters name no file that it needs. */
export function fileNotNamed({id, name}: Pick<Job, 'id' | 'name'>, parameters: PhpArray): string {
  return `The parameters of job ${id} have no file, but the job needs one. ${startElsewhere(name, parameters)}`;
}
