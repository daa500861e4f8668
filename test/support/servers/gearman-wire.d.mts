export declare const TYPE: Record<
  | 'CAN_DO'
  | 'PRE_SLEEP'
  | 'JOB_CREATED'
  | 'GRAB_JOB'
  | 'WORK_COMPLETE'
  | 'WORK_FAIL'
  | 'GET_STATUS'
  | 'ECHO_REQ'
  | 'SUBMIT_JOB_BG'
  | 'SET_CLIENT_ID',
  number
>;

export interface GearmanConnection {
  send(type: number, ...fields: string[]): void;
  receive(): Promise<{type: number; fields: string[]} | null>;
  close(): void;
}

export declare function connectGearman(endpoint: string): Promise<GearmanConnection>;
